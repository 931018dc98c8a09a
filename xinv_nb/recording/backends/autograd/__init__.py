"""The backend for HIPS autograd."""
