"""The checks after a deploy, asked: from outside through the public name, and inside the release."""
