from django.core.exceptions import ValidationError

PHOTO_LIMIT_BYTES = 5 * 1024 * 1024


def validate_photo(file):
    """Refuse what is no JPEG, PNG or WebP by its first bytes, whatever its name says."""
    if file.size > PHOTO_LIMIT_BYTES:
        raise ValidationError("A photo may have 5 MB at most.", code="too_large")
    file.seek(0)
    head = file.read(12)
    file.seek(0)
    is_webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    if not (head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or is_webp):
        raise ValidationError("This is no JPEG, PNG or WebP image.", code="not_a_photo")
