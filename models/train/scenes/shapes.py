"""Polygon soup with materials and colours: what every object of a scene is built from.

A `Shape` knows nothing of Blender; `stage.py` turns it into a mesh. Lengths
are metres, z points up, and an object that faces somewhere faces along +x.
"""

from __future__ import annotations

from typing import Iterable, Sequence

import numpy as np

# Material slots, the same five for every object.
MATTE, PAINT, GLASS, METAL, LAMP = range(5)

Colour = tuple[float, float, float]


class Shape:
    """A growing list of vertices and of polygons with material, colour and shading."""

    def __init__(self) -> None:
        self._vertices: list[np.ndarray] = []
        self._count = 0
        self.faces: list[Sequence[int]] = []
        self.materials: list[int] = []
        self.colours: list[Colour] = []
        self.smooth: list[bool] = []

    @property
    def vertices(self) -> np.ndarray:
        return np.concatenate(self._vertices) if self._vertices else np.zeros((0, 3))

    def add(
        self,
        vertices: np.ndarray,
        faces: Iterable[Sequence[int]],
        material: int | Sequence[int] = MATTE,
        colour: Colour = (0.5, 0.5, 0.5),
        smooth: bool = False,
    ) -> None:
        """Append vertices and polygons; `material` is one slot or one slot per polygon."""
        faces = [[int(i) + self._count for i in face] for face in faces]
        self._vertices.append(np.asarray(vertices, dtype=np.float64).reshape(-1, 3))
        self._count += len(self._vertices[-1])
        self.faces += faces
        self.materials += [material] * len(faces) if isinstance(material, int) else list(material)
        self.colours += [colour] * len(faces)
        self.smooth += [smooth] * len(faces)

    def box(
        self,
        centre: Sequence[float],
        size: Sequence[float],
        material: int = MATTE,
        colour: Colour = (0.5, 0.5, 0.5),
        yaw: float = 0.0,
    ) -> None:
        """An axis-aligned box, turned by `yaw` about its own vertical axis."""
        signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        corners = signs * np.asarray(size) / 2 @ yaw_matrix(yaw).T + np.asarray(centre)
        faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
        self.add(corners, faces, material, colour)

    def ellipsoid(
        self,
        centre: Sequence[float],
        radii: Sequence[float],
        material: int = MATTE,
        colour: Colour = (0.5, 0.5, 0.5),
        segments: int = 10,
    ) -> None:
        """A ball stretched along the axes."""
        rings = max(4, segments // 2 + 1)
        polar = np.linspace(0, np.pi, rings + 1)
        turn = np.arange(segments) * 2 * np.pi / segments
        p, t = np.meshgrid(polar, turn, indexing="ij")
        unit = np.stack([np.sin(p) * np.cos(t), np.sin(p) * np.sin(t), np.cos(p)], -1)
        self.add(
            unit.reshape(-1, 3) * np.asarray(radii) + np.asarray(centre),
            grid_faces(rings + 1, segments, closed=True),
            material,
            colour,
            smooth=True,
        )

    def tube(
        self,
        start: Sequence[float],
        end: Sequence[float],
        radius: float | tuple[float, float],
        material: int = MATTE,
        colour: Colour = (0.5, 0.5, 0.5),
        segments: int = 8,
    ) -> None:
        """A closed cylinder or cone stump from `start` to `end`."""
        start, end = np.asarray(start, float), np.asarray(end, float)
        axis = (end - start) / max(np.linalg.norm(end - start), 1e-9)
        side = np.cross(axis, [0.0, 0.0, 1.0] if abs(axis[2]) < 0.9 else [1.0, 0.0, 0.0])
        side /= np.linalg.norm(side)
        other = np.cross(axis, side)
        turn = np.arange(segments) * 2 * np.pi / segments
        circle = np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * other
        first, last = radius if isinstance(radius, tuple) else (radius, radius)
        vertices = np.concatenate([start + circle * first, end + circle * last])
        self.add(vertices, grid_faces(2, segments, closed=True), material, colour, smooth=True)
        self.add(start + circle * first, [range(segments)], material, colour)
        self.add(end + circle * last, [range(segments)], material, colour)

    def quads(
        self, corners: np.ndarray, material: int = MATTE, colours: Iterable[Colour] | None = None
    ) -> None:
        """Many loose four-cornered polygons, (N, 4, 3)."""
        count = len(corners)
        before = len(self.colours)
        self.add(corners, np.arange(count * 4).reshape(count, 4).tolist(), material)
        if colours is not None:
            self.colours[before:] = list(colours)

    def merge(self, other: "Shape", offset: Sequence[float] = (0, 0, 0), yaw: float = 0.0) -> None:
        """Append a turned and shifted copy of another shape."""
        vertices = other.vertices @ yaw_matrix(yaw).T + np.asarray(offset, float)
        self.faces += [[i + self._count for i in face] for face in other.faces]
        self._vertices.append(vertices)
        self._count += len(vertices)
        self.materials += other.materials
        self.colours += other.colours
        self.smooth += other.smooth


def yaw_matrix(angle: float) -> np.ndarray:
    """Rotation about the z axis."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def grid_faces(rows: int, columns: int, closed: bool) -> list[tuple[int, int, int, int]]:
    """Quads of a rows x columns vertex grid, the columns closed to a ring if asked."""
    return [
        (r * columns + c, r * columns + (c + 1) % columns, (r + 1) * columns + (c + 1) % columns, (r + 1) * columns + c)
        for r in range(rows - 1)
        for c in range(columns if closed else columns - 1)
    ]


