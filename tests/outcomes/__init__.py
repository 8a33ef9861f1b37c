"""Trainings with a fault that are run here, and run again with a fix."""
