"""Quantizes ONNX files with onnxruntime's own tools, as its users do; needs the packages onnx and onnxruntime.

    quantize.py FOLDER MODEL...

For each MODEL.onnx and its MODEL.calibration.f32 (whole rows, one after another) it writes MODEL.int8-static.onnx
(QDQ, activations U8, weights S8 per channel) and MODEL.int8-dynamic.onnx (weights U8).
"""

import pathlib
import sys

import numpy
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process


class Rows(CalibrationDataReader):
    """A file's rows, sixteen at a time."""

    def __init__(self, file, shape):
        rows = numpy.fromfile(file, dtype="<f4").reshape([-1, *shape])
        self.parts = iter([{"x": rows[start : start + 16]} for start in range(0, len(rows), 16)])

    def get_next(self):
        return next(self.parts, None)


folder = pathlib.Path(sys.argv[1])
for name in sys.argv[2:]:
    exact, prepared = folder / f"{name}.onnx", folder / f"{name}.prepared.onnx"
    # The step that its documentation asks for first; the symbolic part is for models of changing shapes.
    quant_pre_process(exact, prepared, skip_symbolic_shape=True)
    shape = [it.dim_value for it in onnx.load(exact).graph.input[0].type.tensor_type.shape.dim[1:]]
    quantize_static(
        prepared,
        folder / f"{name}.int8-static.onnx",
        Rows(folder / f"{name}.calibration.f32", shape),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
    )
    quantize_dynamic(prepared, folder / f"{name}.int8-dynamic.onnx", weight_type=QuantType.QUInt8)
    prepared.unlink()
