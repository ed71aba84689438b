"""The fire drill (B8) on this machine: the scratch copy, the scripted agent, the runs and the look at their end."""
