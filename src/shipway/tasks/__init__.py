"""Do queued tasks meet workers that know them? Tasks of two releases and messages in, what would be lost out."""
