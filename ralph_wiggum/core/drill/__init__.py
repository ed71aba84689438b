"""The fire drill (B8): what is rehearsed before bedtime, what must hold, what is told. Values and judgements only."""
