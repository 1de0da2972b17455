"""The files that a project needs to be deployed, written from what inspection found. Pure: texts in, texts out."""
