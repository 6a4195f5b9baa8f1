"""Blender's side: meshes, materials, light, and rendering into arrays."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from typing import Iterator, Sequence

import bpy
import numpy as np
from mathutils import Matrix

from camera import Camera
from ground import Ground
from shapes import Shape


@dataclass
class Picture:
    """What a rendering yields: linear light, object numbers and distance per pixel."""

    light: np.ndarray  # (H, W, 3) float32
    index: np.ndarray  # (H, W) int32
    depth: np.ndarray  # (H, W) float32, metres


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Send the renderer's progress lines, printed below Python, to nowhere."""
    saved, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(nowhere)


class Stage:
    """One scene under construction; making a new one empties Blender."""

    def __init__(self, size: tuple[int, int], samples: int, threads: int, seed: int, snow: float, wet: float) -> None:
        with _quiet():
            bpy.ops.wm.read_factory_settings(use_empty=True)
        self.scene = bpy.context.scene
        render = self.scene.render
        render.engine = "CYCLES"
        render.resolution_x, render.resolution_y = size
        render.resolution_percentage = 100
        render.threads_mode, render.threads = "FIXED", threads
        render.film_transparent = False
        cycles = self.scene.cycles
        cycles.device = "CPU"
        cycles.samples, cycles.seed = samples, seed % (1 << 30)
        cycles.use_adaptive_sampling = False
        cycles.use_denoising = True
        cycles.denoiser = "OPENIMAGEDENOISE"
        cycles.denoising_quality = "FAST"
        cycles.denoising_prefilter = "FAST"
        cycles.use_auto_tile = False
        cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 2, 1, 2
        cycles.use_light_tree = False
        cycles.transmission_bounces = cycles.volume_bounces = cycles.transparent_max_bounces = 0
        cycles.caustics_reflective = cycles.caustics_refractive = False
        cycles.sample_clamp_indirect = 4.0
        cycles.pixel_filter_type, cycles.filter_width = "BLACKMAN_HARRIS", 1.5
        self.snow, self.wet = snow, wet
        self.materials = [self._matte(), self._paint(), self._glass(), self._metal(), self._lamp()]
        self.numbers = 0

    # Materials ---------------------------------------------------------------

    def _new(self, name: str) -> tuple[bpy.types.Material, bpy.types.NodeTree, bpy.types.Node]:
        material = bpy.data.materials.new(name)
        material.use_nodes = True
        return material, material.node_tree, material.node_tree.nodes["Principled BSDF"]

    def _vertex_colour(self, tree: bpy.types.NodeTree) -> bpy.types.NodeSocket:
        node = tree.nodes.new("ShaderNodeVertexColor")
        node.layer_name = "Col"
        return node.outputs["Color"]

    def _snowed(self, tree: bpy.types.NodeTree, colour: bpy.types.NodeSocket, shader: bpy.types.Node, rough: float) -> None:
        """Connect a colour, white with snow where the surface faces up."""
        if self.snow <= 0:
            tree.links.new(colour, shader.inputs["Base Color"])
            shader.inputs["Roughness"].default_value = rough
            return
        geometry = tree.nodes.new("ShaderNodeNewGeometry")
        split = tree.nodes.new("ShaderNodeSeparateXYZ")
        tree.links.new(geometry.outputs["Normal"], split.inputs[0])
        patch = tree.nodes.new("ShaderNodeTexNoise")
        patch.inputs["Scale"].default_value = 1.3
        patch.inputs["Detail"].default_value = 1.0
        tree.links.new(geometry.outputs["Position"], patch.inputs["Vector"])
        total = tree.nodes.new("ShaderNodeMath")
        tree.links.new(split.outputs["Z"], total.inputs[0])
        tree.links.new(patch.outputs["Fac"], total.inputs[1])
        ramp = tree.nodes.new("ShaderNodeMapRange")
        ramp.inputs["From Min"].default_value = 1.72 - 0.55 * self.snow
        ramp.inputs["From Max"].default_value = 1.80 - 0.50 * self.snow
        tree.links.new(total.outputs[0], ramp.inputs["Value"])
        mix = tree.nodes.new("ShaderNodeMix")
        mix.data_type = "RGBA"
        factor, a, b = mix.inputs[0], mix.inputs[6], mix.inputs[7]
        tree.links.new(ramp.outputs["Result"], factor)
        tree.links.new(colour, a)
        b.default_value = (0.80, 0.81, 0.84, 1)
        tree.links.new(mix.outputs[2], shader.inputs["Base Color"])
        blur = tree.nodes.new("ShaderNodeMapRange")
        blur.inputs["To Min"].default_value, blur.inputs["To Max"].default_value = rough, 0.9
        tree.links.new(ramp.outputs["Result"], blur.inputs["Value"])
        tree.links.new(blur.outputs["Result"], shader.inputs["Roughness"])

    def _matte(self) -> bpy.types.Material:
        material, tree, shader = self._new("matte")
        self._snowed(tree, self._vertex_colour(tree), shader, 0.8 - 0.3 * self.wet)
        shader.inputs["Specular IOR Level"].default_value = 0.25
        return material

    def _paint(self) -> bpy.types.Material:
        material, tree, shader = self._new("paint")
        info = tree.nodes.new("ShaderNodeObjectInfo")
        self._snowed(tree, info.outputs["Color"], shader, 0.16)
        shader.inputs["Specular IOR Level"].default_value = 0.6
        return material

    def _glass(self) -> bpy.types.Material:
        material, tree, shader = self._new("glass")
        dark = tree.nodes.new("ShaderNodeRGB")
        dark.outputs[0].default_value = (0.012, 0.015, 0.016, 1)
        self._snowed(tree, dark.outputs[0], shader, 0.04)
        shader.inputs["Specular IOR Level"].default_value = 0.75
        return material

    def _metal(self) -> bpy.types.Material:
        material, tree, shader = self._new("metal")
        tree.links.new(self._vertex_colour(tree), shader.inputs["Base Color"])
        shader.inputs["Metallic"].default_value = 0.7
        shader.inputs["Roughness"].default_value = 0.35
        return material

    def _lamp(self) -> bpy.types.Material:
        """Lamp covers; they shine as strongly as the object's alpha says."""
        material, tree, shader = self._new("lamp")
        colour = self._vertex_colour(tree)
        info = tree.nodes.new("ShaderNodeObjectInfo")
        tree.links.new(colour, shader.inputs["Base Color"])
        tree.links.new(colour, shader.inputs["Emission Color"])
        tree.links.new(info.outputs["Alpha"], shader.inputs["Emission Strength"])
        shader.inputs["Roughness"].default_value = 0.12
        material.cycles.emission_sampling = "NONE"
        return material

    def image(self, name: str, pixels: np.ndarray, colour: bool) -> bpy.types.Image:
        """A texture from an array whose row 0 is the bottom."""
        height, width = pixels.shape[:2]
        image = bpy.data.images.new(name, width, height, alpha=False)
        image.colorspace_settings.name = "sRGB" if colour else "Non-Color"
        data = np.ones((height, width, 4), np.float32)
        data[..., :3] = (pixels if pixels.ndim == 3 else pixels[..., None]) / np.float32(255)
        image.pixels.foreach_set(data.ravel())
        image.update()
        return image

    # Objects -----------------------------------------------------------------

    def _object(self, name: str, mesh: bpy.types.Mesh, number: int) -> bpy.types.Object:
        item = bpy.data.objects.new(name, mesh)
        item.pass_index = number
        self.scene.collection.objects.link(item)
        return item

    def number(self) -> int:
        """A fresh object number, to find the object's pixels again."""
        self.numbers += 1
        return self.numbers

    def place(
        self,
        shape: Shape,
        position: Sequence[float] = (0, 0, 0),
        yaw: float = 0.0,
        colour: Sequence[float] = (0.5, 0.5, 0.5),
        glow: float = 0.0,
        number: int = 0,
        sharp: float = 38.0,
    ) -> None:
        """Turn a shape into an object; `colour` is its paint, `glow` the strength of its lamps."""
        vertices = shape.vertices
        mesh = bpy.data.meshes.new("shape")
        counts = np.array([len(f) for f in shape.faces])
        loops = np.concatenate([np.asarray(f, np.int32) for f in shape.faces])
        mesh.vertices.add(len(vertices))
        mesh.vertices.foreach_set("co", vertices.astype(np.float32).ravel())
        mesh.loops.add(len(loops))
        mesh.loops.foreach_set("vertex_index", loops)
        mesh.polygons.add(len(counts))
        mesh.polygons.foreach_set("loop_start", np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int32))
        mesh.polygons.foreach_set("use_smooth", np.array(shape.smooth, bool))
        for material in self.materials:
            mesh.materials.append(material)
        mesh.polygons.foreach_set("material_index", np.array(shape.materials, np.int32))
        mesh.update(calc_edges=True)
        layer = mesh.color_attributes.new("Col", "FLOAT_COLOR", "CORNER")
        colours = np.pad(np.array(shape.colours, np.float32), ((0, 0), (0, 1)), constant_values=1.0)
        layer.data.foreach_set("color", np.repeat(colours, counts, axis=0).ravel())
        if any(shape.smooth):
            mesh.set_sharp_from_angle(angle=np.radians(sharp))
        item = self._object("shape", mesh, number)
        item.location, item.rotation_euler[2] = position, yaw
        item.color = (*colour, glow)

    def plates(self, texture: np.ndarray) -> None:
        """Make the material that all number plates share."""
        material, tree, shader = self._new("plates")
        node = tree.nodes.new("ShaderNodeTexImage")
        node.image = self.image("plates", texture, True)
        tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
        shader.inputs["Roughness"].default_value = 0.4
        self.plate_material = material

    def plate(self, position: np.ndarray, facing: float, size: tuple[float, float], spot: Sequence[float], number: int) -> None:
        """Hang one plate, facing horizontally along `facing`."""
        right = np.array([-np.sin(facing), np.cos(facing), 0.0]) * size[0] / 2
        up = np.array([0, 0, size[1] / 2])
        mesh = bpy.data.meshes.new("plate")
        mesh.from_pydata([position - right - up, position + right - up, position + right + up, position - right + up], [], [(0, 1, 2, 3)])
        u0, v0, u1, v1 = spot
        mesh.uv_layers.new().data.foreach_set("uv", [u0, v0, u1, v0, u1, v1, u0, v1])
        mesh.materials.append(self.plate_material)
        self._object("plate", mesh, number)

    def ground(self, ground: Ground, bumps: float) -> None:
        """The painted lot, with a little fine grain and relief."""
        material, tree, shader = self._new("ground")
        colour, rough = tree.nodes.new("ShaderNodeTexImage"), tree.nodes.new("ShaderNodeTexImage")
        colour.image = self.image("ground", ground.colour, True)
        rough.image = self.image("rough", ground.rough, False)
        grain = tree.nodes.new("ShaderNodeTexNoise")
        grain.inputs["Scale"].default_value = 60.0
        grain.inputs["Detail"].default_value = 1.0
        where = tree.nodes.new("ShaderNodeNewGeometry")
        tree.links.new(where.outputs["Position"], grain.inputs["Vector"])
        shade = tree.nodes.new("ShaderNodeMapRange")
        shade.inputs["From Min"].default_value, shade.inputs["From Max"].default_value = 0.3, 0.7
        shade.inputs["To Min"].default_value, shade.inputs["To Max"].default_value = 1 - bumps, 1 + bumps
        tree.links.new(grain.outputs["Fac"], shade.inputs["Value"])
        scale = tree.nodes.new("ShaderNodeVectorMath")
        scale.operation = "SCALE"
        tree.links.new(colour.outputs["Color"], scale.inputs[0])
        tree.links.new(shade.outputs["Result"], scale.inputs["Scale"])
        tree.links.new(scale.outputs[0], shader.inputs["Base Color"])
        tree.links.new(rough.outputs["Color"], shader.inputs["Roughness"])
        shader.inputs["Specular IOR Level"].default_value = 0.35
        x0, y0, x1, y1 = ground.area
        mesh = bpy.data.meshes.new("ground")
        mesh.from_pydata([(x0, y0, 0), (x1, y0, 0), (x1, y1, 0), (x0, y1, 0)], [], [(0, 1, 2, 3)])
        mesh.uv_layers.new().data.foreach_set("uv", [0, 0, 1, 0, 1, 1, 0, 1])
        mesh.materials.append(material)
        self._object("ground", mesh, 0)

    def surroundings(self, colour: Sequence[float], cell: float, z: float = -0.02) -> None:
        """An endless mottled plane round the lot: grass, earth, snow or paving."""
        material, tree, shader = self._new("around")
        patch = tree.nodes.new("ShaderNodeTexNoise")
        patch.inputs["Scale"].default_value = 1 / cell
        patch.inputs["Detail"].default_value = 6.0
        patch.inputs["Roughness"].default_value = 0.75
        where = tree.nodes.new("ShaderNodeNewGeometry")
        tree.links.new(where.outputs["Position"], patch.inputs["Vector"])
        ramp = tree.nodes.new("ShaderNodeValToRGB")
        dark, light = np.array(colour) * 0.55, np.array(colour) * 1.35
        ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[1].position = 0.32, 0.68
        ramp.color_ramp.elements[0].color, ramp.color_ramp.elements[1].color = (*dark, 1), (*light, 1)
        tree.links.new(patch.outputs["Fac"], ramp.inputs["Fac"])
        tree.links.new(ramp.outputs["Color"], shader.inputs["Base Color"])
        shader.inputs["Roughness"].default_value = 0.9
        mesh = bpy.data.meshes.new("around")
        far = 400.0
        mesh.from_pydata([(-far, -far, z), (far, -far, z), (far, far, z), (-far, far, z)], [], [(0, 1, 2, 3)])
        mesh.materials.append(material)
        self._object("around", mesh, 0)

    # Light -------------------------------------------------------------------

    def sky(self, zenith: Sequence[float], horizon: Sequence[float], strength: float, clouds: float) -> None:
        """A gradient sky, so that paint and glass have something to mirror."""
        world = bpy.data.worlds.new("sky")
        self.scene.world = world
        world.use_nodes = True
        tree = world.node_tree
        background = tree.nodes["Background"]
        where, split = tree.nodes.new("ShaderNodeTexCoord"), tree.nodes.new("ShaderNodeSeparateXYZ")
        ramp = tree.nodes.new("ShaderNodeValToRGB")
        ramp.color_ramp.elements[0].color = (*horizon, 1)
        ramp.color_ramp.elements[1].color = (*zenith, 1)
        ramp.color_ramp.elements[1].position = 0.6
        tree.links.new(where.outputs["Generated"], split.inputs[0])
        tree.links.new(split.outputs["Z"], ramp.inputs["Fac"])
        source = ramp.outputs["Color"]
        if clouds > 0:
            noise = tree.nodes.new("ShaderNodeTexNoise")
            noise.inputs["Scale"].default_value = 3.0
            tree.links.new(where.outputs["Generated"], noise.inputs["Vector"])
            cover = tree.nodes.new("ShaderNodeMapRange")
            cover.inputs["From Min"].default_value, cover.inputs["From Max"].default_value = 0.62 - 0.2 * clouds, 0.78 - 0.2 * clouds
            tree.links.new(noise.outputs["Fac"], cover.inputs["Value"])
            mix = tree.nodes.new("ShaderNodeMix")
            mix.data_type = "RGBA"
            tree.links.new(cover.outputs["Result"], mix.inputs[0])
            tree.links.new(source, mix.inputs[6])
            mix.inputs[7].default_value = (1.1, 1.1, 1.1, 1)
            source = mix.outputs[2]
        tree.links.new(source, background.inputs["Color"])
        background.inputs["Strength"].default_value = strength
        world.cycles.sampling_method = "NONE"
        world.cycles.sample_map_resolution = 128

    def _light(self, kind: str, energy: float, colour: Sequence[float], matrix: Matrix) -> bpy.types.Light:
        light = bpy.data.lights.new("light", kind)
        light.energy, light.color = energy, colour
        item = bpy.data.objects.new("light", light)
        item.matrix_world = matrix
        self.scene.collection.objects.link(item)
        return light

    def sun(self, azimuth: float, elevation: float, strength: float, colour: Sequence[float], softness: float) -> None:
        towards = np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])
        self._light("SUN", strength, colour, _aim(towards * 50, np.zeros(3))).angle = softness

    def spot(self, position: np.ndarray, target: np.ndarray, power: float, colour: Sequence[float], cone: float, radius: float = 0.15) -> None:
        light = self._light("SPOT", power, colour, _aim(position, target))
        light.spot_size, light.spot_blend, light.shadow_soft_size = cone, 0.6, radius

    # Rendering ---------------------------------------------------------------

    def shoot(self, camera: Camera) -> Picture:
        """Render the scene; object numbers and depth come out of the same rendering."""
        lens = bpy.data.cameras.new("camera")
        lens.sensor_fit, lens.sensor_width = "HORIZONTAL", 36.0
        lens.lens = 36.0 * camera.focal / camera.size[0]
        lens.clip_start, lens.clip_end = 0.1, 1000.0
        item = bpy.data.objects.new("camera", lens)
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = camera.matrix, camera.position
        item.matrix_world = Matrix(matrix.tolist())
        self.scene.collection.objects.link(item)
        self.scene.camera = item

        layer = self.scene.view_layers[0]
        layer.use_pass_object_index = layer.use_pass_z = True
        self.scene.use_nodes = True
        tree = self.scene.node_tree
        tree.nodes.clear()
        source = tree.nodes.new("CompositorNodeRLayers")
        tree.links.new(source.outputs["Image"], tree.nodes.new("CompositorNodeComposite").inputs[0])
        with tempfile.TemporaryDirectory() as folder:
            pair = tree.nodes.new("CompositorNodeCombineColor")
            tree.links.new(source.outputs["IndexOB"], pair.inputs[0])
            tree.links.new(source.outputs["Depth"], pair.inputs[1])
            writer = tree.nodes.new("CompositorNodeOutputFile")
            writer.base_path = folder
            writer.format.file_format, writer.format.color_depth, writer.format.exr_codec = "OPEN_EXR", "32", "NONE"
            writer.file_slots.clear()
            for name, socket in (("light", source.outputs["Image"]), ("facts", pair.outputs[0])):
                writer.file_slots.new(name)
                tree.links.new(socket, writer.inputs[name])
            with _quiet():
                bpy.ops.render.render()
            frame = f"{self.scene.frame_current:04d}.exr"
            light = self._read(os.path.join(folder, "light" + frame))
            facts = self._read(os.path.join(folder, "facts" + frame))
        return Picture(light[..., :3], np.rint(facts[..., 0]).astype(np.int32), facts[..., 1])

    @staticmethod
    def _read(path: str) -> np.ndarray:
        image = bpy.data.images.load(path)
        image.colorspace_settings.name = "Non-Color"
        width, height = image.size
        pixels = np.empty(width * height * image.channels, np.float32)
        image.pixels.foreach_get(pixels)
        bpy.data.images.remove(image)
        return pixels.reshape(height, width, -1)[::-1]


def _aim(position: np.ndarray, target: np.ndarray) -> Matrix:
    """A matrix that puts an object at `position` with its -z axis towards `target`."""
    back = (position - target) / np.linalg.norm(position - target)
    guide = np.array([0.0, 0.0, 1.0]) if abs(back[2]) < 0.99 else np.array([0.0, 1.0, 0.0])
    right = np.cross(guide, back)
    right /= np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 2], matrix[:3, 3] = right, np.cross(back, right), back, position
    return Matrix(matrix.tolist())
