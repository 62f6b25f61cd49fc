"""What an image is made of while it is optimized: its parameters, its colors, and how it is moved about."""
