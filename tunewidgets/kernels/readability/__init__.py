"""Whether what is read in images is there: forced choices between real patches, and who decides them."""
