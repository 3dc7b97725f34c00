"""Folders of pictures: all of one size, in sub-folders that are their classes or in none."""

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def read_folder(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """Return the pictures of a folder as `x`, and where they are in sub-folders the names of these as `y`.

    A folder that has the sub-folders train and test, each with sub-folders, gives x_train, y_train, x_test, y_test. A
    colour becomes its grey level, what is transparent white; a picture of a bit a pixel has 0 and 1. Files whose names
    end as those of no picture do, and hidden ones, are passed over. The order is that of the names.

    Raises
    ------
    OSError
        If the folder cannot be read or has no picture.
    ValueError
        If a picture cannot be read, or they differ in size.
    """
    folder = Path(path)
    folders = _visible(folder, Path.is_dir)
    if {one.name for one in folders} == {"train", "test"} and all(_visible(one, Path.is_dir) for one in folders):
        parts = {one.name: read_folder(one) for one in folders}
        return {f"{name}_{part}": array for part, content in parts.items() for name, array in content.items()}
    pictures = _pictures(folder)
    if folders and pictures:
        raise ValueError(
            f"{folder} has pictures, {pictures[0].name} for one, beside sub-folders, {folders[0].name} for one; "
            "sub-folders are classes, so put each picture into one."
        )
    if not folders:
        files, labels = pictures, None
    else:
        by_class = {one.name: _pictures(one) for one in folders}
        for name, own in by_class.items():
            if not own:
                raise ValueError(f"{folder / name} has no picture; sub-folders are classes, so take it away.")
        files = [file for own in by_class.values() for file in own]
        labels = np.array([name for name, own in by_class.items() for _ in own])
    if not files:
        others = len(_visible(folder, Path.is_file))
        raise FileNotFoundError(
            f"the directory {folder} has no picture{f' among its {others} files' if others else ''}; give one of "
            "pictures or of IDX files."
        )
    content = {"x": _read_pictures(files), "files": np.array([os.fspath(file.relative_to(folder)) for file in files])}
    return content if labels is None else {**content, "y": labels}


def _visible(folder: Path, wanted: Any) -> list[Path]:
    return sorted(one for one in folder.iterdir() if not one.name.startswith((".", "__")) and wanted(one))


def is_picture(path: Path) -> bool:
    """Return whether a file is called as pictures are."""
    from PIL import Image

    # Some formats Pillow writes only.
    return Image.registered_extensions().get(path.suffix.lower()) in Image.OPEN


def _pictures(folder: Path) -> list[Path]:
    # A link that leads nowhere is a picture that is missing.
    return [one for one in _visible(folder, lambda one: one.is_file() or one.is_symlink()) if is_picture(one)]


def _read_pictures(files: list[Path]) -> NDArray[Any]:
    first = _read_picture(files[0])
    images = np.empty((len(files), *first.shape), first.dtype)
    for number, file in enumerate(files):
        image = _read_picture(file)
        if image.shape != first.shape:
            raise ValueError(
                f"{file} has {image.shape[1]} x {image.shape[0]} pixels, and {files[0]} has {first.shape[1]} x "
                f"{first.shape[0]} (width x height); give pictures of one size."
            )
        if image.dtype != first.dtype:
            raise ValueError(
                f"{file} has another kind of pixels ({image.dtype}) than {files[0]} ({first.dtype}); save all pictures "
                "as grey ones of 8 bits a pixel."
            )
        images[number] = image
    return images


def _read_picture(file: Path) -> NDArray[Any]:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Pillow warns of what is larger than it should be to be no attack, and goes on.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file) as image:
                n_pictures = getattr(image, "n_frames", 1)
                if n_pictures > 1:
                    raise ValueError(f"it has {n_pictures} pictures in it; save each as a file")
                if image.mode == "1":
                    return np.asarray(image.convert("L")) > 0
                if image.mode.startswith(("I", "F")):
                    return np.asarray(image)
                if image.has_transparency_data:
                    whole = image.convert("RGBA")
                    return np.asarray(Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole).convert("L"))
                return np.asarray(image.convert("L"))
    except MemoryError:
        raise
    except Exception as error:
        raise ValueError(f"{file} is not a picture that can be read ({error}).") from error
