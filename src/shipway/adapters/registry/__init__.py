"""A registry of one image inside of Shipway: hosts pull from it through their SSH connections."""
