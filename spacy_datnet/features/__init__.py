"""Word features: layers that give each word of a sentence a vector."""
