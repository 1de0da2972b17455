"""What every proxy says with static and uploaded files."""

from __future__ import annotations

# django.contrib.staticfiles.storage.HashedFilesMixin.file_hash: the first 12 hex digits of an MD5, before the suffix.
HASHED = r"\.[0-9a-f]{12}(\.[^/]*)?$"
FOREVER = "public, max-age=31536000, immutable"
BRIEFLY = "public, max-age=60, must-revalidate"
MEDIA_CACHE = "private, max-age=60, must-revalidate"
# Media files were sent by visitors. What a browser only displays may be opened in place; everything else (HTML, SVG,
# XML, scripts, what nobody thought of) could run in the site's name, so it is offered for download, in a sandbox.
INERT = r"(?i)\.(avif|bmp|gif|ico|jpe?g|png|webp|mp3|m4a|oga|ogg|opus|wav|flac|mp4|m4v|mov|ogv|webm|pdf|txt|woff2?)$"
SANDBOX = "default-src 'none'; sandbox"
