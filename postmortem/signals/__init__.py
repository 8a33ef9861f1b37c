"""Frames to derived frames: what SQL says badly."""
