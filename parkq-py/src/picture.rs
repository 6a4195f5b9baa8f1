//! Pictures from Python: arrays, PIL images, and encoded bytes.

use numpy::ndarray::{Axis, Ix3};
use numpy::{
    PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyReadwriteArrayDyn, PyUntypedArray,
    PyUntypedArrayMethods,
};
use parkq_core::{
    DecodeLimits, Frame, FrameMut, Input, Matrix, PixelFormat, Plane, PlaneMut, Range, RawFrame,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyTuple};

use crate::anonymize::AnonymizedFrame;
use crate::error::{frame, option, raise, unread};

/// How an array's bytes are to be read.
#[derive(Clone, Copy)]
pub(crate) struct Pixels {
    format: PixelFormat,
    matrix: Matrix,
    range: Range,
}

impl Pixels {
    pub(crate) fn new(format: &str, matrix: &str, range: &str) -> PyResult<Self> {
        let format = match format {
            "rgb" => PixelFormat::Rgb8,
            "bgr" => PixelFormat::Bgr8,
            "rgba" => PixelFormat::Rgba8,
            "bgra" => PixelFormat::Bgra8,
            "gray" => PixelFormat::Gray8,
            "nv12" => PixelFormat::Nv12,
            "nv21" => PixelFormat::Nv21,
            "i420" => PixelFormat::I420,
            "yuyv" => PixelFormat::Yuyv,
            other => {
                let known = "rgb, bgr, rgba, bgra, gray, nv12, nv21, i420, yuyv";
                return Err(option("format", other, known));
            }
        };
        let matrix = match matrix {
            "bt601" => Matrix::Bt601,
            "bt709" => Matrix::Bt709,
            other => return Err(option("matrix", other, "bt601, bt709")),
        };
        let range = match range {
            "limited" => Range::Limited,
            "full" => Range::Full,
            other => return Err(option("range", other, "limited, full")),
        };
        Ok(Self { format, matrix, range })
    }

    /// Width and height of the picture in one array, or in an array for each plane.
    fn size(&self, shapes: &[&[usize]]) -> PyResult<(u32, u32)> {
        let side = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (format, planes) = (self.format, self.format.planes());
        let needed = match format {
            PixelFormat::Rgb8 | PixelFormat::Bgr8 => "(height, width, 3)",
            PixelFormat::Rgba8 | PixelFormat::Bgra8 => "(height, width, 4)",
            PixelFormat::Yuyv => "(height, width, 2)",
            PixelFormat::Gray8 => "(height, width) or (height, width, 1)",
            PixelFormat::I420 => {
                "(height * 3 / 2, width), or a tuple of (height, width), (height / 2, width / 2) \
                 and (height / 2, width / 2)"
            }
            _ => {
                "(height * 3 / 2, width), or a tuple of (height, width) and \
                 (height / 2, width / 2, 2)"
            }
        };
        let packed = match (format, shapes) {
            (PixelFormat::Rgb8 | PixelFormat::Bgr8, &[&[h, w, 3]])
            | (PixelFormat::Rgba8 | PixelFormat::Bgra8, &[&[h, w, 4]])
            | (PixelFormat::Yuyv, &[&[h, w, 2]])
            | (PixelFormat::Gray8, &[&[h, w] | &[h, w, 1]]) => Some((w, h)),
            (_, &[&[rows, w]]) if planes > 1 && rows.is_multiple_of(3) => Some((w, rows / 3 * 2)),
            (_, &[&[h, w], ref chroma @ ..]) if planes > 1 && chroma.len() + 1 == planes => {
                let row = if format == PixelFormat::I420 { w / 2 } else { w };
                let fits = |shape: &&[usize]| {
                    shape.first() == Some(&(h / 2)) && shape[1..].iter().product::<usize>() == row
                };
                chroma.iter().all(fits).then_some((w, h))
            }
            _ => None,
        };
        match packed {
            Some((width, height)) => Ok((side(width), side(height))),
            None => {
                let given: Vec<_> = shapes.iter().map(|shape| shown(shape)).collect();
                let given = given.join(" and ");
                Err(frame(&format!("the array's shape is {given}, {format} needs {needed}")))
            }
        }
    }

    /// The bytes of a row, where each plane has its own array.
    fn stride(&self, plane: usize, width: u32) -> usize {
        let halved = self.format == PixelFormat::I420 && plane > 0;
        width as usize / if halved { 2 } else { 1 }
    }

    /// One array holds all planes, or there is one for each.
    fn over<'a>(&self, (width, height): (u32, u32), arrays: &[&'a [u8]]) -> PyResult<Frame<'a>> {
        let frame = match *arrays {
            [all] => Frame::packed(self.format, width, height, all),
            _ => {
                let plane = |(plane, &bytes)| Plane { bytes, stride: self.stride(plane, width) };
                let planes: Vec<_> = arrays.iter().enumerate().map(plane).collect();
                Frame::new(self.format, width, height, &planes)
            }
        };
        Ok(frame.map_err(raise)?.with_color(self.matrix, self.range))
    }
}

fn shown(shape: &[usize]) -> String {
    let sides: Vec<_> = shape.iter().map(usize::to_string).collect();
    format!("({}{})", sides.join(", "), if sides.len() == 1 { "," } else { "" })
}

/// A picture for the length of a call: read where it lies if its arrays are C-contiguous or it is
/// anonymized, otherwise a copy of parkq's own, which is wiped.
pub(crate) enum Picture<'py> {
    Lent(View<'py>),
    Own(RawFrame),
    Anonymized(Bound<'py, AnonymizedFrame>),
}

/// A picture in C-contiguous arrays that are only read.
pub(crate) struct View<'py> {
    arrays: Vec<PyReadonlyArrayDyn<'py, u8>>,
    pixels: Pixels,
    size: (u32, u32),
}

impl<'py> View<'py> {
    fn frame(&self) -> PyResult<Frame<'_>> {
        self.pixels.over(self.size, &slices(&self.arrays)?)
    }

    /// The bytes of all planes, one after the other, if they are a frame's.
    fn bytes(&self) -> PyResult<Vec<u8>> {
        self.frame()?;
        Ok(slices(&self.arrays)?.concat())
    }

    /// The same picture in one new array, which is to be anonymized at once: it is in NumPy's own
    /// memory, since what parkq allocates is wiped when it is freed.
    pub(crate) fn copy(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<u8>>> {
        self.frame()?;
        let (width, height) = self.size;
        let shape = PyTuple::new(py, shape(self.pixels.format, width, height))?;
        let array = py.import("numpy")?.call_method1("empty", (shape, "uint8"))?;
        let array = array.cast_into::<PyArrayDyn<u8>>()?;
        let mut room = array.readwrite();
        let mut room = room.as_slice_mut().map_err(|_| frame("the array is not contiguous"))?;
        for plane in slices(&self.arrays)? {
            let all = room.split_at_mut_checked(plane.len());
            let (here, rest) = all.ok_or_else(|| frame("the planes are more than the picture"))?;
            here.copy_from_slice(plane);
            room = rest;
        }
        Ok(array.clone())
    }
}

impl<'py> Picture<'py> {
    pub(crate) fn new(object: &Bound<'py, PyAny>, pixels: &Pixels) -> PyResult<Self> {
        let py = object.py();
        if let Ok(picture) = object.cast::<AnonymizedFrame>() {
            return Ok(Self::Anonymized(picture.clone()));
        }
        if let Some(encoded) = encoded(object)? {
            pixels.must_be_rgb("an encoded picture")?;
            return Ok(Self::Own(py.detach(|| RawFrame::decode(&encoded)).map_err(raise)?));
        }
        if is_pil(object)? {
            pixels.must_be_rgb("a PIL image")?;
            return Ok(Self::Own(from_pil(object)?));
        }
        let arrays = match object.cast::<PyTuple>() {
            Ok(planes) => planes.iter().map(|plane| array(&plane)).collect::<PyResult<Vec<_>>>()?,
            Err(_) => vec![array(object)?],
        };
        let shapes: Vec<_> = arrays.iter().map(|a| a.shape()).collect();
        let size = pixels.size(&shapes)?;
        if arrays.iter().all(|a| a.is_c_contiguous()) {
            Ok(Self::Lent(View { arrays, pixels: *pixels, size }))
        } else {
            Ok(Self::Own(pixels.gather(py, size, &arrays)?))
        }
    }

    /// What the core's verbs read.
    pub(crate) fn input(&self) -> PyResult<Input<'_>> {
        match self {
            Self::Lent(view) => Ok(view.frame()?.into()),
            Self::Own(raw) => Ok(raw.into()),
            Self::Anonymized(picture) => Ok((&picture.get().0).into()),
        }
    }

    /// A copy of parkq's own, for the verbs that take the picture.
    pub(crate) fn into_raw(self) -> PyResult<RawFrame> {
        match self {
            Self::Lent(view) => {
                let Pixels { format, matrix, range } = view.pixels;
                let (width, height) = view.size;
                let raw = RawFrame::from_pixels(format, width, height, view.bytes()?);
                Ok(raw.map_err(raise)?.with_color(matrix, range))
            }
            Self::Own(raw) => Ok(raw),
            Self::Anonymized(_) => Err(anonymized()),
        }
    }

    /// Width and height, pixels.
    pub(crate) fn size(&self) -> (u32, u32) {
        match self {
            Self::Lent(view) => view.size,
            Self::Own(raw) => (raw.width(), raw.height()),
            Self::Anonymized(picture) => (picture.get().0.width(), picture.get().0.height()),
        }
    }
}

/// For the verbs that anonymize.
pub(crate) fn anonymized() -> PyErr {
    frame("it is anonymized already")
}

/// A picture in arrays that are written where they lie.
pub(crate) struct Lent<'py> {
    arrays: Vec<PyReadwriteArrayDyn<'py, u8>>,
    pixels: Pixels,
    size: (u32, u32),
}

impl<'py> Lent<'py> {
    pub(crate) fn new(object: &Bound<'py, PyAny>, pixels: &Pixels) -> PyResult<Self> {
        let writable = |object: &Bound<'py, PyAny>| {
            let array = object.cast::<PyArrayDyn<u8>>().map_err(|_| {
                frame("inplace=True needs a NumPy array of uint8, or a tuple of them")
            })?;
            let array = array.try_readwrite();
            array.map_err(|_| frame("inplace=True needs an array that is writable and not in use"))
        };
        let arrays = match object.cast::<PyTuple>() {
            Ok(planes) => planes.iter().map(|p| writable(&p)).collect::<PyResult<Vec<_>>>()?,
            Err(_) => vec![writable(object)?],
        };
        if !arrays.iter().all(|a| a.is_c_contiguous()) {
            return Err(frame("inplace=True needs a C-contiguous array"));
        }
        let shapes: Vec<_> = arrays.iter().map(|a| a.shape()).collect();
        let size = pixels.size(&shapes)?;
        Ok(Self { arrays, pixels: *pixels, size })
    }

    /// What the core's verbs write.
    pub(crate) fn frame(&mut self) -> PyResult<FrameMut<'_>> {
        let (Pixels { format, matrix, range }, (width, height)) = (self.pixels, self.size);
        let mut planes = Vec::new();
        for (plane, array) in self.arrays.iter_mut().enumerate() {
            let stride = self.pixels.stride(plane, width);
            let bytes = array.as_slice_mut().map_err(|_| frame("the array is not contiguous"))?;
            planes.push(PlaneMut { bytes, stride });
        }
        let frame = if planes.len() == 1 {
            FrameMut::packed(format, width, height, planes.remove(0).bytes)
        } else {
            FrameMut::new(format, width, height, planes)
        };
        Ok(frame.map_err(raise)?.with_color(matrix, range))
    }

    /// Width and height, pixels.
    pub(crate) fn size(&self) -> (u32, u32) {
        self.size
    }
}

/// The word that stands for a format in Python.
pub(crate) fn format_word(format: PixelFormat) -> String {
    format.to_string().to_lowercase().trim_end_matches('8').to_owned()
}

/// The shape of an array that holds a picture of this format.
pub(crate) fn shape(format: PixelFormat, width: u32, height: u32) -> Vec<usize> {
    let (width, height) = (width as usize, height as usize);
    match format {
        PixelFormat::Gray8 => vec![height, width],
        PixelFormat::Yuyv => vec![height, width, 2],
        PixelFormat::Rgba8 | PixelFormat::Bgra8 => vec![height, width, 4],
        PixelFormat::Nv12 | PixelFormat::Nv21 | PixelFormat::I420 => vec![height * 3 / 2, width],
        _ => vec![height, width, 3],
    }
}

impl Pixels {
    fn must_be_rgb(&self, what: &str) -> PyResult<()> {
        if self.format == PixelFormat::Rgb8 {
            return Ok(());
        }
        Err(frame(&format!("{what} is RGB8, the format is {}", self.format)))
    }

    /// Copies arrays whose bytes are scattered.
    fn gather(
        &self,
        py: Python<'_>,
        size: (u32, u32),
        arrays: &[PyReadonlyArrayDyn<'_, u8>],
    ) -> PyResult<RawFrame> {
        // A view may repeat its bytes: what it shows can be far larger than what it holds.
        must_be_few(size, "that do not lie next to each other are copied")?;
        let mut views = Vec::new();
        for array in arrays {
            let view = array.as_array();
            let axes = view.ndim();
            let view = if axes == 2 { view.insert_axis(Axis(axes)) } else { view };
            let flat = |_| frame("an array for a plane has two or three axes");
            views.push(view.into_dimensionality::<Ix3>().map_err(flat)?);
        }
        let mut bytes = vec![0; arrays.iter().map(|a| a.len()).sum()];
        py.detach(|| {
            let mut rest = bytes.as_mut_slice();
            for row in views.iter().flat_map(|view| view.outer_iter()) {
                let (packed, next) = rest.split_at_mut(row.len());
                rest = next;
                if let Some(row) = row.as_slice() {
                    packed.copy_from_slice(row);
                    continue;
                }
                let channels = row.ncols();
                for (c, channel) in row.columns().into_iter().enumerate() {
                    let packed = packed[c..].iter_mut().step_by(channels);
                    packed.zip(channel).for_each(|(to, &from)| *to = from);
                }
            }
        });
        let raw = RawFrame::from_pixels(self.format, size.0, size.1, bytes).map_err(raise)?;
        Ok(raw.with_color(self.matrix, self.range))
    }
}

/// What parkq makes room for has a limit, whatever is said to be there.
fn must_be_few((width, height): (u32, u32), what: &str) -> PyResult<()> {
    let (actual, most) = (u64::from(width) * u64::from(height), DecodeLimits::default().max_pixels);
    if actual > most {
        return Err(frame(&format!("{actual} pixels, at most {most} {what}")));
    }
    Ok(())
}

fn slices<'a>(arrays: &'a [PyReadonlyArrayDyn<'_, u8>]) -> PyResult<Vec<&'a [u8]>> {
    let slice = |a: &'a PyReadonlyArrayDyn<'_, u8>| {
        a.as_slice().map_err(|_| frame("the array is not contiguous"))
    };
    arrays.iter().map(slice).collect()
}

fn array<'py>(object: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArrayDyn<'py, u8>> {
    if let Ok(array) = object.cast::<PyArrayDyn<u8>>() {
        return array.try_readonly().map_err(|_| frame("the array is being written"));
    }
    if let Ok(array) = object.cast::<PyUntypedArray>() {
        let dtype = array.dtype();
        return Err(frame(&format!("the array's dtype is {dtype}, uint8 is needed")));
    }
    let kind = object.get_type().name()?;
    Err(PyTypeError::new_err(format!(
        "a picture is a uint8 array, a PIL image or the bytes of a JPEG, PNG or WebP, not {kind}"
    )))
}

fn encoded(object: &Bound<'_, PyAny>) -> PyResult<Option<PyBackedBytes>> {
    if object.is_instance_of::<PyBytes>() || object.is_instance_of::<PyByteArray>() {
        return Ok(Some(object.extract()?));
    }
    if object.is_instance_of::<PyMemoryView>() {
        return Ok(Some(object.call_method0("tobytes")?.extract()?));
    }
    Ok(None)
}

/// Whether it is a PIL image; PIL is not imported for that.
fn is_pil(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let modules = object.py().import("sys")?.getattr("modules")?;
    let module = modules.call_method1("get", ("PIL.Image",))?;
    if module.is_none() { Ok(false) } else { object.is_instance(&module.getattr("Image")?) }
}

/// A PIL image, turned as its EXIF data say, as an encoded one is. It may not be decoded yet: the
/// same limit holds.
fn from_pil(image: &Bound<'_, PyAny>) -> PyResult<RawFrame> {
    const ORIENTATION: u16 = 0x0112;
    let mode: String = image.getattr("mode")?.extract()?;
    if mode.starts_with(['I', 'F']) {
        // Pillow would cut off what is above 255.
        let needed = "8 bits a channel are needed, as in RGB or L";
        return Err(frame(&format!("the image's mode is {mode}, {needed}")));
    }
    let (width, height): (u32, u32) = image.getattr("size")?.extract()?;
    must_be_few((width, height), "are read from an image")?;
    let read = || {
        let exif = image.call_method0("getexif")?;
        let orientation: u16 = exif.call_method1("get", (ORIENTATION, 1))?.extract().unwrap_or(1);
        let mut image = image.clone();
        if orientation != 1 {
            let tools = image.py().import("PIL.ImageOps")?;
            image = tools.call_method1("exif_transpose", (image,))?;
        }
        let size: (u32, u32) = image.getattr("size")?.extract()?;
        Ok((size, image.call_method1("convert", ("RGB",))?.call_method0("tobytes")?))
    };
    let ((width, height), rgb) = read().map_err(|error| unread(image.py(), error))?;
    let pixels = rgb.cast::<PyBytes>()?.as_bytes().to_vec();
    RawFrame::from_pixels(PixelFormat::Rgb8, width, height, pixels).map_err(raise)
}
