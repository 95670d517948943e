"""What a wheel of Concurrent holds, and where it comes from in the checkout.

=====================  ====================================  ===================================
in the checkout        installed as                          in a checkout found through
=====================  ====================================  ===================================
``concurrent/*``       ``concurrent.core`` and so on         ``concurrent_framework`` (the hook)
``samples/<name>/``    ``concurrent.apps.samples.<name>``    ``concurrent/apps/samples``
``native/``            ``concurrent.core.native``            ``concurrent/core/native``
``conf/*.ini``         ``concurrent/apps/conf/*.ini``        its own path
=====================  ====================================  ===================================

The start-up files ``concurrent_framework.pth`` and ``.start`` go to the root of site-packages, also
with ``pip install -e .``. Type checkers read the modules themselves; ``concurrent/__init__.pyi`` has
pyright look for them beside the standard library's. Those of a checkout are found through
``build/types``, which holds nothing but a link to ``concurrent/``, and which a ``.pth`` file names.

Compiled modules (``native/_*.pyx``, ``samples/*/_*.pyx``) are optional: without Cython or a compiler
their pure Python twins are used and one warning says so.
"""

import contextlib
import os
import shutil
from pathlib import Path

# setuptools comes first: it brings the distutils that Python 3.12 no longer has.
from setuptools import Distribution, Extension, setup  # isort: skip
from distutils.command.install_data import install_data  # isort: skip
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

NAMES = ("core", "transport", "scheduling", "apps")
SAMPLES = "concurrent.apps.samples"
NATIVE = "concurrent.core.native"
CONF = "concurrent.apps.conf"
MARK_FOR_CHECKERS = os.path.join("concurrent", "__init__.pyi")
START_UP_FILES = ["concurrent_framework.pth", "concurrent_framework.start"]
DATA_PATTERNS = [
    f"{folder}*.{suffix}"
    for folder in ("", "**/")
    for suffix in ("typed", "html", "css", "js", "svg", "png", "ini", "md", "txt", "json", "pyx", "fasta")
]
# A fused multiply-add rounds once where Python rounds twice: the twins would differ in a few pixels.
COMPILER_ARGUMENTS = [] if os.name == "nt" else ["-ffp-contract=off"]


def own_packages() -> dict[str, str]:
    """Return the folder of each package below ``concurrent``, by its name."""
    inits = [init for name in NAMES for init in Path("concurrent", name).rglob("__init__.py")]
    return {".".join(init.parent.parts): init.parent.as_posix() for init in sorted(inits)}


def sample_packages() -> dict[str, str]:
    """Return the folder of each sample, by the name of the package that it is installed as."""
    folders = sorted({module.parent for module in Path("samples").glob("*/*.py")})
    return {f"{SAMPLES}.{folder.name}": folder.as_posix() for folder in folders}


def extensions() -> list[Extension]:
    """Return the optional compiled modules, one for each Cython file."""
    sources = [(NATIVE, source) for source in sorted(Path("native").glob("_*.pyx"))]
    sources += [
        (f"{SAMPLES}.{source.parent.name}", source) for source in sorted(Path("samples").glob("*/_*.pyx"))
    ]
    return [
        Extension(
            f"{package}.{source.stem}",
            [source.as_posix()],
            extra_compile_args=COMPILER_ARGUMENTS,
            optional=True,
        )
        for package, source in sources
    ]


def link_for_checkers() -> Path:
    """Return a folder of the checkout that holds nothing but a link to ``concurrent/``."""
    folder = Path("build", "types").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "concurrent"
    if not link.is_symlink():
        link.symlink_to(Path("concurrent").absolute(), target_is_directory=True)
    return folder


class BuildModules(build_py):
    """Copies the modules, those of ``native/`` and the file for type checkers included."""

    def run(self) -> None:
        """Build from scratch: a module deleted in the checkout must not live on in a wheel."""
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        if not self.editable_mode:
            self.copy_file(MARK_FOR_CHECKERS, os.path.join(self.build_lib, MARK_FOR_CHECKERS))

    def find_package_modules(self, package, package_dir):
        """Return (package, module, file) of each module, without the tests of the samples."""
        modules = super().find_package_modules(package, package_dir)
        if package == NATIVE:
            files = sorted(Path("native").glob("*.py"))
            modules += [(package, file.stem, str(file)) for file in files]
        return [module for module in modules if not module[1].startswith(("test_", "conftest"))]


class BuildExtensions(build_ext):
    """Compiles what can be compiled and warns once about the rest."""

    def finalize_options(self) -> None:
        """Keep the generated C files out of the checkout."""
        super().finalize_options()
        self.cython_c_in_temp = True
        self.failures: list[str] = []

    def run(self) -> None:
        """Build, then name in one warning what has to do without compiled code."""
        super().run()
        if self.failures:
            self.warn(
                "some modules were not compiled and run as pure Python, slower but with the same "
                f"results; install a C compiler and Cython to have them: {'; '.join(self.failures)}"
            )

    def build_extension(self, ext) -> None:
        """Compile one module; on failure note it and go on."""
        try:
            super().build_extension(ext)
        except Exception as error:  # boundary: Cython and compilers raise errors of many kinds
            reason = str(error).strip().splitlines() or [type(error).__name__]
            self.failures.append(f"{ext.name} ({reason[-1]})")


class InstallStartUpFiles(install_data):
    """Puts the data files, which are the start-up files, at the root of site-packages."""

    def finalize_options(self) -> None:
        """Take the folder of the modules in place of the prefix."""
        self.set_undefined_options("install", ("install_lib", "install_dir"))
        super().finalize_options()

    def run(self) -> None:
        """Install them, for a checkout with one more file that leads type checkers to its modules."""
        super().run()
        if self.get_finalized_command("build_py").editable_mode:
            with contextlib.suppress(OSError):  # a system without links: nothing but type checkers misses it
                folder = link_for_checkers()
                Path(self.install_dir, "concurrent_framework_types.pth").write_text(f"{folder}\n", "utf-8")


class WithStartUpFiles(Distribution):
    """Makes an editable installation install the start-up files too."""

    def has_data(self) -> bool:
        """Answer setuptools, which asks for this name before it installs data files as editable."""
        return True


PACKAGES = {**own_packages(), **sample_packages()}
if Path("conf").is_dir():
    PACKAGES[CONF] = "conf"

setup(
    distclass=WithStartUpFiles,
    packages=sorted(PACKAGES),
    package_dir=PACKAGES,
    package_data={"": DATA_PATTERNS},
    py_modules=["concurrent_framework"],
    data_files=[("", START_UP_FILES)],
    ext_modules=extensions(),
    cmdclass={
        "build_py": BuildModules,
        "build_ext": BuildExtensions,
        "install_data": InstallStartUpFiles,
    },
)
