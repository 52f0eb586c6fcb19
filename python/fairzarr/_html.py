"""What notebooks show of stores and images. Nothing here raises: a picture that cannot be made is left out."""

from __future__ import annotations

import base64
import html
import struct
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .store import Image, Store

#: Images that a store shows.
SHOWN = 12
#: Samples of a level beyond which no thumbnail is made of it for a notebook.
MOST = 1 << 22


def store(opened: Store) -> str:
    """A store: its images with thumbnails."""
    images = opened.images[:SHOWN]
    more = len(opened.images) - len(images)
    parts = [f"<div><b>{html.escape(opened.url)}</b>"]
    parts += [image(one) for one in images]
    if more:
        parts.append(f"<p>and {more} more images</p>")
    return "".join(parts) + "</div>"


def image(one: Image) -> str:
    """An image: thumbnail, sizes, channels, objective."""
    sizes = " × ".join(f"{name} {size}" for name, size in zip(one.dims, one.shape))
    steps = ", ".join(
        f"{axis.name} {scale:g} {axis.unit}"
        for axis, scale in zip(one.axes, one.levels[0].scale)
        if axis.unit is not None
    )
    rows = [
        ("image", f"{one.path or '(root)'} {one.name or ''}"),
        ("size", f"{sizes}, {one.array().dtype}, {len(one.levels)} levels"),
        ("sample", steps or "not said"),
    ]
    cells = "".join(f"<tr><th style='text-align:left'>{k}</th><td>{html.escape(v)}</td></tr>" for k, v in rows)
    cells += f"<tr><th style='text-align:left'>channels</th><td>{_channels(one)}</td></tr>"
    if one.objective is not None:
        cells += f"<tr><th style='text-align:left'>objective</th><td>{html.escape(_objective(one))}</td></tr>"
    return f"<div style='display:flex;gap:1em;margin:.5em 0'>{_picture(one)}<table>{cells}</table></div>"


def _channels(one: Image) -> str:
    parts = []
    for channel in one.channels:
        red, green, blue = channel.color or (128, 128, 128)
        mark = f"<span style='color:rgb({red},{green},{blue})'>&#9632;</span>"
        emission = f" ({channel.emission})" if channel.emission else ""
        parts.append(f"{mark} {html.escape(channel.label + emission)}")
    return ", ".join(parts) or "not described"


def _objective(one: Image) -> str:
    found = one.objective
    if found is None:
        return ""
    magnification = None if found.nominal_magnification is None else f"{found.nominal_magnification:g}x"
    aperture = None if found.lens_na is None else f"NA {found.lens_na:g}"
    parts = (found.manufacturer, found.model, magnification, aperture, found.immersion)
    return ", ".join(str(part) for part in parts if part)


def _picture(one: Image) -> str:
    try:
        if one.array(len(one.levels) - 1).size > MOST:
            return ""
        data = base64.b64encode(one.thumbnail()).decode()
    except Exception:  # A notebook shows the rest of what is known, whatever is wrong with the samples.
        return ""
    return f"<img src='data:image/png;base64,{data}' alt='thumbnail'>"


def thumbnail(one: Image, size: int, t: int, z: int | None) -> bytes:
    """A PNG of one plane, channels added in their colours."""
    import numpy as np

    level = _level(one, size)
    array = one.array(level)
    dims = one.dims
    rows, columns = array.shape[dims.index("y")], array.shape[dims.index("x")]
    step = max(1, -(-max(rows, columns) // size))
    count = array.shape[dims.index("c")] if "c" in dims else 1
    picture = np.zeros((-(-rows // step), -(-columns // step), 3))
    channels = one.channels
    for c in range(count):
        at: dict[str, Any] = {"t": t, "c": c, "z": _middle(array.shape, dims) if z is None else z}
        index = tuple(slice(None) if name in "yx" else at.get(name, 0) for name in dims)
        plane = array[index]
        if dims.index("y") > dims.index("x"):
            plane = plane.T
        plane = np.asarray(np.abs(plane) if plane.dtype.kind == "c" else plane, dtype=float)[::step, ::step]
        channel = channels[c] if c < len(channels) else None
        low, high = (channel.window if channel else None) or _range(plane)
        color = (channel.color if channel else None) or (255, 255, 255)
        shade = np.clip((plane - low) / ((high - low) or 1.0), 0, 1)
        picture += np.nan_to_num(shade)[..., None] * np.array(color, dtype=float)
    return png(np.clip(picture, 0, 255).astype(np.uint8))


def _level(one: Image, size: int) -> int:
    """The smallest level that has at least as many pixels as are shown."""
    found = 0
    for number in range(len(one.levels)):
        shape = one.array(number).shape
        if max(shape[one.dims.index("y")], shape[one.dims.index("x")]) < size:
            break
        found = number
    return found


def _middle(shape: tuple[int, ...], dims: tuple[str, ...]) -> int:
    return shape[dims.index("z")] // 2 if "z" in dims else 0


def _range(plane: NDArray[Any]) -> tuple[float, float]:
    import numpy as np

    known = plane[np.isfinite(plane)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG of ``[y, x, red green blue]``."""
    rows, columns, _ = pixels.shape
    lines = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
