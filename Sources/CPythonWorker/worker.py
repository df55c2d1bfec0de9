"""One model in a process of its own: what `slipway pack` starts for each instance of a pack.

It reads requests from descriptor 3 and answers there, one at a time: four bytes of length (little-endian), one byte of
kind, then that many bytes. Kinds: L load, P predict; answers are R (result) and E (error: JSON with code and message).
Everything that is printed goes to the pack's log. The process ends when the other end of the descriptor is closed.
"""

import gc
import importlib
import inspect
import json
import os
import re
import struct
import subprocess
import sys
import traceback

HEADER = struct.Struct("<IB")
INVALID_INPUT = ("ValueError", "TypeError", "KeyError", "IndexError", "AttributeError", "InvalidArgumentError",
                 "UnicodeError", "OverflowError", "NotFittedError")


class Fault(Exception):
    """A refusal with the code that the server maps to a status."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = message


class Channel:
    """The descriptor to the server, out of the reach of what the model starts."""

    def __init__(self):
        self.descriptor = os.dup(3)
        os.close(3)

    def read(self, count):
        data = bytearray()
        while len(data) < count:
            piece = os.read(self.descriptor, min(count - len(data), 1 << 20))
            if not piece:
                # The server has gone or wants no more: nothing of the model's may hold this process back.
                sys.stdout.flush()
                os._exit(0)
            data += piece
        return bytes(data)

    def receive(self):
        length, kind = HEADER.unpack(self.read(HEADER.size))
        return chr(kind), self.read(length)

    def send(self, kind, payload):
        data = memoryview(HEADER.pack(len(payload), ord(kind)) + payload)
        while data:
            data = data[os.write(self.descriptor, data):]


def end_with_parent():
    """Asks the kernel to end this process with its server, however that ends."""
    import ctypes

    try:
        ctypes.CDLL(None).prctl(1, 9)
    except (OSError, AttributeError):
        pass


def plain(value):
    """What JSON has no form for: arrays and numbers of numpy, frames of pandas, tuples are known already."""
    for name in ("tolist", "item", "to_dict"):
        convert = getattr(value, name, None)
        if callable(convert):
            return convert()
    if isinstance(value, (set, frozenset)):
        return list(value)
    raise Fault("failed", "predict returned a " + type(value).__name__ + ", which JSON cannot carry")


class Pack:
    """The loaded model and how to call it."""

    def __init__(self, order):
        self.name = order["name"]
        self.type = order["type"]
        self.workspace = order["workspace"]
        self.source = os.path.join(self.workspace, self.name, "src")
        self.model = os.path.join(self.workspace, self.name, "model")
        self.installs = order["installs"]
        self.warnings = []
        self.call = None

    def safe(self, text):
        """A text for a client: no path of the server, one line, not endless."""
        text = text.replace(self.source, "src").replace(self.model, "model").replace(self.workspace, ".")
        return re.sub(r"\s+", " ", text).strip()[:600]

    def reason(self, error):
        if isinstance(error, Fault):
            return error.message
        if isinstance(error, SystemExit):
            return "it called sys.exit(%s)" % (error.code,)
        return self.safe("%s: %s" % (type(error).__name__, error))

    def guarded(self, what, action, *arguments):
        """Runs a piece of the pack's own code; what it raises becomes a refusal that names the piece."""
        try:
            return action(*arguments)
        except Fault:
            raise
        except BaseException as error:
            traceback.print_exc()
            raise Fault("load_failed", "%s: %s" % (what, self.reason(error))) from None

    # Requirements

    def check_requirements(self):
        path = os.path.join(self.source, "requirements.txt")
        if not os.path.isfile(path):
            return
        if self.installs:
            self.install(path)
        from importlib import metadata

        missing = []
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read(1 << 20).splitlines()
        for line in lines:
            text = line.split(" #")[0].strip()
            match = re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*([^;]*)(;.*)?$", text)
            if not match or text.startswith(("#", "-")):
                continue
            name, wanted, marker = match.group(1), match.group(3).strip(), match.group(4)
            try:
                have = metadata.version(name)
            except metadata.PackageNotFoundError:
                # The same library goes by several names on PyPI.
                if name.lower() in ("tensorflow", "tensorflow-gpu") and self.has("tensorflow-cpu", metadata):
                    continue
                if not marker and name.lower() != "sklearn":
                    missing.append(text)
                continue
            exact = re.match(r"==\s*([^,\s]+)$", wanted)
            if exact and exact.group(1) != have:
                self.warnings.append("requirements.txt asks for %s, %s is installed" % (text, have))
        if missing:
            raise Fault(
                "load_failed",
                "requirements.txt asks for %s, which this Python does not have: install it there, or start with "
                "--install-requirements" % ", ".join(missing[:20]))

    @staticmethod
    def has(name, metadata):
        try:
            return bool(metadata.version(name))
        except metadata.PackageNotFoundError:
            return False

    def install(self, path):
        target = os.path.join(self.workspace, "packages")
        order = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input",
                 "--target", target, "-r", path]
        done = subprocess.run(order, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        print(done.stdout, flush=True)
        if done.returncode != 0:
            lines = [line for line in done.stdout.splitlines() if line.startswith("ERROR")] or ["see the log"]
            raise Fault("load_failed", "requirements.txt cannot be installed: " + self.safe(lines[0]))
        sys.path.insert(0, target)
        importlib.invalidate_caches()

    # Loading

    def load(self):
        for folder in (self.model, self.source):
            sys.path.insert(0, folder)
        os.chdir(self.workspace)
        self.check_requirements()
        if self.type == "sklearn":
            self.load_sklearn()
        else:
            self.load_session()
        # The original service predicts within the source folder, so that packs open `data/...` there.
        os.chdir(self.source)

    def load_sklearn(self):
        found = sorted(name for name in os.listdir(self.model) if name.endswith((".pkl", ".joblib")))
        if not found:
            raise Fault("load_failed", "the model zip holds no .pkl file; MODEL_TYPE sklearn needs one at its top")
        if len(found) > 1 and self.name + ".pkl" not in found:
            raise Fault("load_failed", "the model zip holds several .pkl files (%s); name one %s.pkl"
                        % (", ".join(found[:5]), self.name))
        file = self.name + ".pkl" if len(found) > 1 else found[0]
        try:
            import joblib
            read = joblib.load
        except ImportError:
            import pickle

            def read(path):
                with open(path, "rb") as stream:
                    return pickle.load(stream)
        model = self.guarded("%s cannot be loaded" % file, read, os.path.join(self.model, file))
        if not callable(getattr(model, "predict", None)):
            raise Fault("load_failed", "%s holds a %s, which has no method predict" % (file, type(model).__name__))
        self.call = model.predict

    def correct_checkpoint(self):
        """Training writes its own folder into the file `checkpoint`; here the same files lie beside it."""
        path = os.path.join(self.model, "checkpoint")
        if not os.path.isfile(path) or os.path.islink(self.model):
            return
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(1 << 20)

        def beside(match):
            name = os.path.basename(match.group(2))
            if not os.path.exists(match.group(2)) and os.path.exists(os.path.join(self.model, name + ".index")):
                return match.group(1) + name + match.group(3)
            return match.group(0)

        corrected = re.sub(r'(?m)^(\w+: ")(/[^"]*)(")', beside, text)
        if corrected != text:
            self.warnings.append("checkpoint names files of another folder; those beside it are used")
            with open(path, "w", encoding="utf-8") as file:
                file.write(corrected)

    def load_session(self):
        prepare_tensorflow()
        self.correct_checkpoint()
        if not os.path.isfile(os.path.join(self.source, "k8s_api_model.py")):
            raise Fault("load_failed", "the sources hold no k8s_api_model.py at their top")
        module = self.guarded("k8s_api_model.py cannot be imported", importlib.import_module, "k8s_api_model")
        kind = getattr(module, "k8s_api_model", None)
        if not inspect.isclass(kind):
            raise Fault("load_failed", "k8s_api_model.py has no class k8s_api_model")
        for method in ("load", "predict"):
            if not callable(getattr(kind, method, None)):
                raise Fault("load_failed", "class k8s_api_model has no method %s" % method)
        model = self.guarded("k8s_api_model() failed", kind)
        if callable(getattr(model, "build", None)):
            self.guarded("build of k8s_api_model failed", model.build)
        session = self.guarded("load of k8s_api_model failed", model.load, self.model)
        if not callable(getattr(session, "run", None)):
            raise Fault("load_failed", "load of k8s_api_model returned %s; it must return the session"
                        % ("None" if session is None else "a " + type(session).__name__))
        self.call = bind(model.predict, session)

    # Predicting

    def predict(self, body):
        value = json.loads(body)["test"]
        try:
            result = self.call(value)
        except Fault:
            raise
        except BaseException as error:
            traceback.print_exc()
            names = [kind.__name__ for kind in type(error).__mro__]
            code = "invalid" if any(name in INVALID_INPUT for name in names) else "failed"
            raise Fault(code, "predict failed: " + self.reason(error)) from None
        try:
            text = json.dumps({"result": result}, ensure_ascii=False, allow_nan=False, default=plain)
        except Fault:
            raise
        except (ValueError, TypeError) as error:
            what = "NaN or infinity" if "Out of range" in str(error) else self.reason(error)
            raise Fault("failed", "the result cannot be written as JSON: " + what) from None
        return text.encode("utf-8", "replace") + b"\n"


def prepare_tensorflow():
    """TensorFlow as packs know it: sessions and graphs, with the names of its first version where they are gone."""
    try:
        import tensorflow as tf
    except ImportError as error:
        if error.name != "tensorflow":
            raise Fault("load_failed", "TensorFlow cannot be imported: %s" % error) from None
        raise Fault("load_failed", "MODEL_TYPE tf needs TensorFlow, which this Python does not have: run "
                    "%s -m pip install tensorflow-cpu" % os.path.basename(sys.executable)) from None
    old = tf.compat.v1
    old.disable_eager_execution()
    for name in dir(old):
        if not name.startswith("_") and not hasattr(tf, name):
            setattr(tf, name, getattr(old, name))
    for part in ("train", "nn", "random", "summary", "io", "math"):
        new, first = getattr(tf, part, None), getattr(old, part, None)
        for name in dir(first):
            if not name.startswith("_") and not hasattr(new, name):
                setattr(new, name, getattr(first, name))


def bind(predict, session):
    """predict as a function of the input alone: packs write (session, input), (input, session), (session) or (input)."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [parameter.name.lower() for parameter in inspect.signature(predict).parameters.values()
             if parameter.kind in kinds and parameter.default is inspect.Parameter.empty]
    is_session = [name.startswith("sess") for name in names]
    if len(names) == 2:
        if is_session == [False, True]:
            return lambda value: predict(value, session)
        return lambda value: predict(session, value)
    if len(names) == 1:
        return (lambda value: predict(session)) if is_session[0] else predict
    raise Fault("load_failed", "predict of k8s_api_model takes (%s); it must take (session, input)" % ", ".join(names))


def answer(channel, pack, kind, payload):
    try:
        if kind == "L":
            pack.load()
            gc.freeze()
            return "R", json.dumps({"warnings": pack.warnings, "python": sys.version.split()[0]}).encode()
        return "R", pack.predict(payload)
    except BaseException as error:
        if isinstance(error, Fault):
            code, message = error.code, error.message
        else:
            traceback.print_exc()
            code, message = ("load_failed" if kind == "L" else "failed"), pack.reason(error)
        return "E", json.dumps({"code": code, "message": pack.safe(message)}).encode()


def main():
    end_with_parent()
    channel = Channel()
    sys.path.pop(0)
    kind, payload = channel.receive()
    pack = Pack(json.loads(payload))
    while True:
        reply = answer(channel, pack, kind, payload)
        sys.stdout.flush()
        channel.send(*reply)
        kind, payload = channel.receive()


if __name__ == "__main__":
    main()
