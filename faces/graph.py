"""dlib's face network written as an ONNX graph: the same numbers in a twentieth of the time.

The architecture is that of `face_recognition_model_v1` (King 2017, a ResNet-29 after He et al. 2015). Its normalisation is
affine already, so it is folded into the convolutions, and so are the mean and the scale of the input (the first convolution
has no padding, so this changes no border).

Input: `chips`, uint8, N x 150 x 150 x 3, RGB. Output: `descriptors`, float32, N x 128, not of unit length.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from faces import dlib_file
from faces.dlib_file import Layer, UnknownModel

Weights = NDArray[np.float64]

SIDE = 150
LENGTH = 128
_MEAN = np.array([122.782, 117.001, 104.298], dtype=np.float64)
_SCALE = 256.0
_STEM = 32
# (channels, blocks, whether the first block halves), from the input to the output
_STAGES = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
_OPSET = 17
_IR_VERSION = 8


def build(path: Path) -> onnx.ModelProto:
    """The graph of a dlib network file.

    Raises:
        UnknownModel: the file's layers do not have the shapes of this architecture.
    """
    try:
        return _Builder(iter(dlib_file.layers(path))).model()
    except _Unfitting as error:
        raise UnknownModel(f"{path.name}: {error}") from None


class _Unfitting(Exception):
    """The layers are not those of this architecture."""


class _Builder:
    def __init__(self, layers: Iterator[Layer]) -> None:
        self.layers = layers
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def model(self) -> onnx.ModelProto:
        here = self._node("Cast", ["chips"], to=TensorProto.FLOAT)
        here = self._node("Transpose", [here], perm=[0, 3, 1, 2])
        here = self._node("Relu", [self._stem(here)])
        here = self._node("MaxPool", [here], kernel_shape=[3, 3], strides=[2, 2])
        channels, side = _STEM, ((SIDE - 7) // 2 + 1 - 3) // 2 + 1
        for width, blocks, halving in _STAGES:
            for number in range(blocks):
                if halving and number == 0:
                    here, side = self._halving_block(here, channels, width, side)
                else:
                    here = self._block(here, width)
                channels = width
        here = self._node("Flatten", [self._node("GlobalAveragePool", [here])])
        dense = self._take(dlib_file.DENSE, channels * LENGTH).reshape(channels, LENGTH)
        self.nodes.append(helper.make_node("MatMul", [here, self._constant(dense)], ["descriptors"]))
        if next(self.layers, None) is not None:
            raise _Unfitting("the network has more layers than this architecture")
        graph = helper.make_graph(
            self.nodes,
            "dlib_face_recognition_resnet",
            [helper.make_tensor_value_info("chips", TensorProto.UINT8, ["N", SIDE, SIDE, 3])],
            [helper.make_tensor_value_info("descriptors", TensorProto.FLOAT, ["N", LENGTH])],
            self.constants,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)

    def _stem(self, here: str) -> str:
        weights, bias = self._folded(3, _STEM, 7)
        bias = bias - np.einsum("ocyx,c->o", weights, _MEAN / _SCALE)
        return self._conv(here, weights / _SCALE, bias, stride=2, padding=0)

    def _block(self, here: str, width: int) -> str:
        inner = self._node("Relu", [self._conv(here, *self._folded(width, width, 3))])
        inner = self._conv(inner, *self._folded(width, width, 3))
        return self._node("Relu", [self._node("Add", [inner, here])])

    def _halving_block(self, here: str, channels: int, width: int, side: int) -> tuple[str, int]:
        """(output, its side). What is smaller is filled with zeros at the end: the shortcut's channels, the block's rows."""
        inner = self._node("Relu", [self._conv(here, *self._folded(channels, width, 3), stride=2, padding=0)])
        inner = self._conv(inner, *self._folded(width, width, 3))
        shortcut = self._node("AveragePool", [here], kernel_shape=[2, 2], strides=[2, 2])
        small, large = (side - 3) // 2 + 1, (side - 2) // 2 + 1
        inner = self._filled(inner, 0, large - small)
        shortcut = self._filled(shortcut, width - channels, 0)
        return self._node("Relu", [self._node("Add", [inner, shortcut])]), large

    def _filled(self, here: str, channels: int, side: int) -> str:
        if not channels and not side:
            return here
        return self._node("Pad", [here, self._constant(np.array([0, 0, 0, 0, 0, channels, side, side]))])

    def _folded(self, channels: int, width: int, side: int) -> tuple[Weights, Weights]:
        """A convolution and the affine layer after it as one: gamma (w x + b) + beta."""
        count = width * channels * side * side
        taken = self._take(dlib_file.CONVOLUTION, count + width).astype(np.float64)
        filters, bias = taken[:count].reshape(width, channels, side, side), taken[count:]
        gamma, beta = self._take(dlib_file.AFFINE, 2 * width).astype(np.float64).reshape(2, width)
        return filters * gamma[:, None, None, None], bias * gamma + beta

    def _take(self, kind: str, count: int) -> NDArray[np.float32]:
        layer = next(self.layers, None)
        if layer is None or layer.kind != kind or layer.weights.size != count:
            found = f"{layer.kind} of {layer.weights.size}" if layer else "the end"
            raise _Unfitting(f"expected {kind} of {count} numbers, found {found}")
        return layer.weights

    def _conv(self, here: str, weights: Weights, bias: Weights, *, stride: int = 1, padding: int = 1) -> str:
        inputs = [here, self._constant(weights.astype(np.float32)), self._constant(bias.astype(np.float32))]
        return self._node("Conv", inputs, strides=[stride] * 2, pads=[padding] * 4)

    def _constant(self, values: NDArray[Any]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name
