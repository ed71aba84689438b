"""The machine that a run is on: kept awake, and watched for battery, disk, memory and what its clocks do (B7)."""
