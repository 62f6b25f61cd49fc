"""Zarr's codec for pictures that are stored as WebP.

In and out: as `packed_pictures`. Zarr finds it by its name: in Python's entry points, or once this module is imported.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from zarr.abc.codec import ArrayBytesCodec
from zarr.registry import register_codec

from .packed_pictures import CODEC, packed, unpacked


@dataclass(frozen=True)
class PictureCodec(ArrayBytesCodec):
    """Pictures, uint8 `(..., H, W, 3)`, as lossy WebP of a `quality` from 1 to 100."""

    quality: int = 85
    is_fixed_size = False

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """The codec that an array's metadata tells of."""
        return cls(**data.get("configuration", {}))

    def to_dict(self) -> Any:
        """What an array's metadata says."""
        return {"name": CODEC, "configuration": {"quality": self.quality}}

    def compute_encoded_size(self, input_byte_length: int, _chunk_spec: Any) -> int:
        """Zarr asks for it; how much a picture takes is known once it is encoded."""
        raise NotImplementedError

    async def _decode_single(self, chunk_bytes: Any, chunk_spec: Any) -> Any:
        pictures = unpacked(chunk_bytes.to_bytes(), chunk_spec.shape)
        return chunk_spec.prototype.nd_buffer.from_ndarray_like(pictures)

    async def _encode_single(self, chunk_array: Any, chunk_spec: Any) -> Any:
        encoded = packed(np.ascontiguousarray(chunk_array.as_numpy_array()), self.quality)
        return chunk_spec.prototype.buffer.from_bytes(encoded)


register_codec(CODEC, PictureCodec)
