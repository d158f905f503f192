"""Build a package for Debian and Ubuntu, with the program and everything that it needs: `make deb`.

The packages of Python in it are those of the environment that runs this script, in the versions of
`uv.lock`: the tests ran with these very files, and no network is needed, here or on the server. They
are in a virtual environment of the distribution's own Python, as dh-virtualenv makes it. Build it on
the release of the distribution for which it is meant.
"""

import argparse
import gzip
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from sync import __version__, cli
from sync.commands.man_page import man_page
from typer._completion_shared import get_completion_script
from typer.main import get_command

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MINOR = f"python3.{sys.version_info.minor}"
HOME = "usr/lib/inspera-sync"
COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/inspera-sync",
    "zsh": "usr/share/zsh/vendor-completions/_inspera-sync",
    "fish": "usr/share/fish/vendor_completions.d/inspera-sync.fish",
}


def needed(name: str, extras: frozenset[str], seen: dict[str, Distribution]) -> None:
    """Add a distribution to `seen`, with all that it needs and that is installed."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return  # a driver that this environment has not: the wheel with its extra has it
    seen[re.sub(r"[-_.]+", "-", name).lower()] = found
    for text in found.requires or ():
        one = Requirement(text)
        wanted = not one.marker or any(one.marker.evaluate({"extra": e}) for e in extras | {""})
        if wanted and re.sub(r"[-_.]+", "-", one.name).lower() not in seen:
            needed(one.name, frozenset(one.extras), seen)


def copy_packages(site: Path) -> list[str]:
    """Copy the packages that the program needs. Return their names and versions."""
    seen: dict[str, Distribution] = {}
    extras = distribution("inspera-sync").metadata.get_all("Provides-Extra") or []
    needed("inspera-sync", frozenset(extras), seen)
    del seen["inspera-sync"]
    for one in seen.values():
        for path in one.files or ():
            if ".." in path.parts or "__pycache__" in path.parts:
                continue
            target = site / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path.locate(), target)
    return sorted(f"{name} {one.version}" for name, one in seen.items())


def unpack_wheel(site: Path, folder: Path) -> None:
    """Build the wheel of this checkout, and unpack it next to the packages."""
    words = ["-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = folder.glob("inspera_sync-*.whl")
    with ZipFile(wheel) as archive:
        archive.extractall(site)


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def write_environment(root: Path, python: str) -> None:
    """Make the folder of packages a virtual environment of the distribution's Python."""
    (root / HOME / "bin").mkdir(parents=True, exist_ok=True)
    (root / HOME / "bin" / "python").symlink_to(python)
    home = f"home = {Path(python).parent}\ninclude-system-site-packages = false\n"
    write(root / HOME / "pyvenv.cfg", home)
    script = (
        f"#!/{HOME}/bin/python\nimport sys\nfrom sync.__main__ import main\n\nsys.exit(main())\n"
    )
    write(root / HOME / "bin" / "inspera-sync", script, 0o755)
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/inspera-sync").symlink_to("../lib/inspera-sync/bin/inspera-sync")


def packaged(text: str) -> str:
    """Return a unit or script with the package's paths and its user, who is not made by systemd."""
    for before, after in (
        ("/opt/inspera-sync/current/bin/inspera-sync", "/usr/bin/inspera-sync"),
        ("/usr/local/sbin/as-inspera-sync", "/usr/sbin/as-inspera-sync"),
        ("/usr/local/bin/inspera-sync", "/usr/bin/inspera-sync"),
        ("# A user that exists only while the service runs, so that no other process is that user. "
         "It needs no `useradd`.", "# A user of its own, whom the package has made."),
        ("DynamicUser=yes", "DynamicUser=no"),
    ):  # fmt: skip
        text = text.replace(before, after)
    return text


def write_system_files(root: Path) -> None:
    """Write the units, the user, the man page and the completions."""
    for path in sorted((ROOT / "deploy/systemd").iterdir()):
        text = packaged(path.read_text(encoding="utf-8"))
        if path.suffix:
            write(root / "usr/lib/systemd/system" / path.name, text)
        else:
            write(root / "usr/sbin" / path.name, text, 0o755)
    for kind in ("sysusers", "tmpfiles"):
        text = (HERE / f"inspera-sync.{kind}").read_text(encoding="utf-8")
        write(root / f"usr/lib/{kind}.d/inspera-sync.conf", text)
    for shell, place in COMPLETIONS.items():
        script = get_completion_script(
            prog_name="inspera-sync", complete_var="_INSPERA_SYNC_COMPLETE", shell=shell
        )
        write(root / place, script + "\n")
    write_compressed(root / "usr/share/man/man1/inspera-sync.1.gz", man_page(get_command(cli.app)))
    doc = root / "usr/share/doc/inspera-sync"
    write_compressed(doc / "changelog.gz", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    write(doc / "copyright", (ROOT / "LICENSE").read_text(encoding="utf-8"))
    shutil.copytree(ROOT / "config/examples", doc / "examples")
    shutil.copy(ROOT / "config/inspera-sync.yaml", doc / "examples")


def write_compressed(path: Path, text: str) -> None:
    """Write a compressed file, the same bytes each time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def write_control(root: Path, version: str) -> None:
    """Write what dpkg needs to know."""
    machine = subprocess.run(
        ["dpkg", "--print-architecture"], check=True, capture_output=True, text=True
    ).stdout.strip()
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size for path in files) // 1024
    fields = {
        "Package": "inspera-sync",
        "Version": version,
        "Architecture": machine,
        "Maintainer": "University IT <exam-it@example.edu>",
        "Installed-Size": str(size),
        "Depends": f"{MINOR}, systemd",
        "Recommends": "ca-certificates, sqlite3",
        "Section": "net",
        "Priority": "optional",
        "Description": "keeps Inspera Assessment in step with the student information system\n"
        " It brings every package of Python that it needs, so that no network is needed.",
    }
    write(root / "DEBIAN/control", "".join(f"{k}: {v}\n" for k, v in fields.items()))
    sums = "".join(
        f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(root)}\n"
        for path in files
    )
    write(root / "DEBIAN/md5sums", sums)
    for name in ("postinst", "prerm", "postrm"):
        write(root / "DEBIAN" / name, (HERE / name).read_text(encoding="utf-8"), 0o755)


def built(out: Path, python: str, compression: str, version: str = __version__) -> Path:
    """Build the package. Return its file."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        root, wheels = Path(scratch) / "root", Path(scratch) / "wheels"
        site = root / HOME / "lib" / MINOR / "site-packages"
        site.mkdir(parents=True)
        for folder in (root, *root.rglob("*")):
            folder.chmod(0o755)
        listed = copy_packages(site)
        unpack_wheel(site, wheels)
        write(root / HOME / "packages.txt", "\n".join([*listed, ""]))
        write_environment(root, python)
        write_system_files(root)
        write_control(root, version)
        words = ["--root-owner-group", f"-Z{compression}", "--build", str(root), str(out)]
        subprocess.run(["dpkg-deb", *words], check=True, stdout=subprocess.DEVNULL)
    (package,) = out.glob(f"inspera-sync_{version}_*.deb")
    return package


def main() -> None:
    """Build the package, and print its name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--python", default=f"/usr/bin/{MINOR}")
    parser.add_argument("--compression", default="xz")
    given = parser.parse_args()
    print(built(given.out, given.python, given.compression))


if __name__ == "__main__":
    main()
