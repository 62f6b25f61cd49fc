"""A network up to a layer as a graph of plain operations, which a page can run without Python."""
