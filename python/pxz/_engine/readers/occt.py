"""BREP, IGES and XBF rewritten as STEP by the OpenCASCADE libraries inside the cascadio wheel.

cascadio's Python functions reach only STEP and IGES (without colours), but its wheel carries OpenCASCADE's complete
data exchange. The few calls needed are made by their C++ symbols: `<Kind>_Provider::Read(path, document)`, then
`DESTEP_Provider::Write(path, document)`. That depends on the exact build (Itanium ABI, symbols of OCCT 8.0), so it
1. runs in a child process of its own: a wrong guess or a damaged file kills the child, and becomes an error here;
2. looks every symbol up before it calls one, and reports `BridgeUnavailable` where one is missing;
3. falls back to the optional wheel `cadquery-ocp-novtk` where that is installed.
Objects live in oversized zeroed buffers, and are never destroyed: the child ends with os._exit.

Run as a script: `python occt.py KIND SOURCE TARGET`; exit 0 done, 3 cannot be read, 4 no way to run OpenCASCADE here.
"""

from __future__ import annotations

import ctypes
import glob
import importlib.util
import os
import subprocess
import sys
import tempfile
from importlib import import_module

if __name__ != "__main__":
    from ..errors import ReadError

PROVIDERS = {"BREP": "DEBREP", "IGES": "DEIGES", "XBF": "DEXCAF", "STEP": "DESTEP"}
LIBRARIES = ("TKernel", "TKBRep", "TKLCAF", "TKXCAF", "TKDE", "TKDESTEP", "TKDEIGES", "TKDECascade")
HANDLE = "RKN11opencascade6handleI"
UNREADABLE, UNAVAILABLE = 3, 4
LIMIT_S, LIMIT_S_PER_MB = 120.0, 60.0
"""Time for the child, and more for each megabyte: OpenCASCADE loops for ever on some damaged files."""


class BridgeUnavailable(Exception):
    """Neither cascadio's libraries nor OCP can be used here."""


class _MissingSymbol(Exception):
    """A C++ symbol or library that this build of cascadio does not have."""


def to_step(path: str, kind: str) -> bytes:
    """STEP text of a BREP, IGES or XBF file. Raises `ReadError` for a bad file, `BridgeUnavailable` where OpenCASCADE
    cannot be reached.
    """
    name = os.path.basename(path)
    limit = LIMIT_S + LIMIT_S_PER_MB * os.path.getsize(path) / 1e6
    with tempfile.TemporaryDirectory(prefix="pxz-") as folder:
        target = os.path.join(folder, "out.step")
        command = [sys.executable, os.path.abspath(__file__), kind, os.path.abspath(path), target]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=limit, env=environment
            )
        except subprocess.TimeoutExpired:
            raise ReadError(
                f"{name}: OpenCASCADE did not finish reading it in {limit:.0f} s; it is damaged, save it again as STEP"
            ) from None
        if done.returncode == UNAVAILABLE:
            raise BridgeUnavailable(
                f"{kind} needs OpenCASCADE, which this build of cascadio does not let us reach "
                f"({done.stderr.strip()[-200:]}); "
                "install the extra wheel cadquery-ocp-novtk, or save the model as STEP"
            )
        if done.returncode < 0:
            raise ReadError(
                f"{name}: OpenCASCADE died of signal {-done.returncode} reading this {kind} file; save it as STEP again"
            )
        if done.returncode or not os.path.exists(target):
            lines = [text for text in done.stdout.splitlines() if "Error" in text or "Not a" in text]
            reason = lines[0].split("\t: ")[-1].replace("\x1b[0m", "").strip() if lines else "no shape in it"
            raise ReadError(
                f"{name}: OpenCASCADE cannot read this {kind} file ({reason}); "
                "it is damaged or cut short, save it again"
            )
        with open(target, "rb") as file:
            return file.read()


class _Bridge:
    """OpenCASCADE by ctypes. All pointers are to buffers kept alive in `keep`."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("cascadio")
        if spec is None or not spec.origin:
            raise _MissingSymbol("cascadio is not installed")
        import cascadio  # noqa: F401  (loads the libraries with their rpath)

        site = os.path.dirname(os.path.dirname(spec.origin))
        self.keep: list[ctypes.Array[ctypes.c_char]] = []
        self.libraries = []
        for library in LIBRARIES:
            found = [
                p
                for sub in ("cascadio.", "cascadio.libs")
                for p in glob.glob(os.path.join(site, sub, f"lib{library}-*"))
            ]
            if not found:
                raise _MissingSymbol(f"library {library}")
            self.libraries.append(ctypes.CDLL(found[0]))

    def buffer(self, size: int = 4096) -> int:
        """Address of zeroed memory for a C++ object."""
        made = ctypes.create_string_buffer(size)
        self.keep.append(made)
        return ctypes.addressof(made)

    def call(self, symbol: str, *arguments: object) -> bool:
        """Call a C++ function or method; the result counts only where it returns bool."""
        for library in self.libraries:
            try:
                function = getattr(library, symbol)
            except AttributeError:
                continue
            function.restype = ctypes.c_bool
            return bool(
                function(
                    *[ctypes.c_void_p(a) if isinstance(a, int) and not isinstance(a, bool) else a for a in arguments]
                )
            )
        raise _MissingSymbol(symbol)

    def document(self) -> int:
        """Address of a handle to a new XCAF document: the container for shapes with names and colours."""
        application, name, document = self.buffer(8), self.buffer(64), self.buffer(8)
        self.call("_ZN19XCAFApp_Application14GetApplicationEv", application)
        self.call("_ZN26TCollection_ExtendedStringC1EPKcb", name, ctypes.c_char_p(b"MDTV-XCAF"), ctypes.c_bool(False))
        this = ctypes.c_void_p.from_address(application).value or 0
        handle = "RN11opencascade6handleI16TDocStd_DocumentEE"
        self.call(f"_ZN19TDocStd_Application11NewDocumentERK26TCollection_ExtendedString{handle}", this, name, document)
        return document

    def provider(self, kind: str) -> int:
        """Address of a reader/writer of one format with default settings."""
        node, handle, provider = self.buffer(), self.buffer(8), self.buffer()
        self.call(f"_ZN{len(kind) + 18}{kind}_ConfigurationNodeC1Ev", node)
        ctypes.c_int.from_address(node + 8).value = 1 << 20  # reference count: OCCT must never free our buffer
        ctypes.c_void_p.from_address(handle).value = node
        self.call(f"_ZN{len(kind) + 9}{kind}_ProviderC1E{HANDLE}20DE_ConfigurationNodeEE", provider, handle)
        return provider

    def transfer(self, kind: str, verb: str, path: str, document: int) -> bool:
        """`verb` (Read or Write) one file into or out of the document."""
        text = self.buffer(64)
        self.call("_ZN23TCollection_AsciiStringC1EPKc", text, ctypes.c_char_p(os.fsencode(path)))
        method = f"{len(kind) + 9}{kind}_Provider{len(verb)}{verb}"
        symbol = f"_ZN{method}ERK23TCollection_AsciiString{HANDLE}16TDocStd_DocumentEERK21Message_ProgressRange"
        return self.call(symbol, self.provider(kind), text, document, self.buffer(64))


def _by_ocp(kind: str, source: str, target: str) -> bool:
    """BREP by the optional OCP wheel. False where it cannot be read; raises ImportError without the wheel (or without
    libGL).
    """
    if kind != "BREP":
        raise ImportError(f"{kind} only by cascadio")
    brep, tools, step, topology = (
        import_module(f"OCP.{name}") for name in ("BRep", "BRepTools", "STEPControl", "TopoDS")
    )
    shape, writer = topology.TopoDS_Shape(), step.STEPControl_Writer()
    if not tools.BRepTools.Read_s(shape, source, brep.BRep_Builder()):
        return False
    writer.Transfer(shape, step.STEPControl_StepModelType.STEPControl_AsIs)
    writer.Write(target)
    return os.path.exists(target)


def main(kind: str, source: str, target: str) -> int:
    """Exit status of the child process."""
    try:
        bridge = _Bridge()
        document = bridge.document()
        read = bridge.transfer(PROVIDERS[kind], "Read", source, document)
        return 0 if read and bridge.transfer("DESTEP", "Write", target, document) else UNREADABLE
    except (_MissingSymbol, OSError) as reason:
        try:
            return 0 if _by_ocp(kind, source, target) else UNREADABLE
        except ImportError as error:
            print(f"{reason}; {error}", file=sys.stderr)
            return UNAVAILABLE


if __name__ == "__main__":
    status = main(*sys.argv[1:4])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
