//! Pictures in memory: borrowed ([`Frame`], [`FrameMut`]), and owned until wiped ([`RawFrame`]).

use std::fmt;

use zeroize::Zeroizing;

#[cfg(feature = "image")]
use crate::codec::DecodeLimits;
use crate::error::{FrameError, Result};
use crate::geometry::{PixelRect, Point, Rect, polygon_spans};

/// How the pixels of a frame lie in memory.
///
/// | format | planes | bytes a row | rows |
/// |---|---|---|---|
/// | `Rgb8`, `Bgr8` | 1 | 3 w | h |
/// | `Rgba8`, `Bgra8` (alpha is ignored) | 1 | 4 w | h |
/// | `Gray8` | 1 | w | h |
/// | `Nv12` (Y, then U V interleaved), `Nv21` (V U) | 2 | w, w | h, h/2 |
/// | `I420` (Y, U, V) | 3 | w, w/2, w/2 | h, h/2, h/2 |
/// | `Yuyv` (Y0 U Y1 V) | 1 | 2 w | h |
///
/// ```
/// assert_eq!(parkq_core::PixelFormat::Nv12.to_string(), "NV12");
/// assert_eq!(parkq_core::PixelFormat::Nv12.planes(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PixelFormat {
    /// Red, green, blue.
    Rgb8,
    /// Blue, green, red.
    Bgr8,
    /// Red, green, blue, alpha.
    Rgba8,
    /// Blue, green, red, alpha.
    Bgra8,
    /// Luma only.
    Gray8,
    /// 4:2:0, luma plane and interleaved U V plane.
    Nv12,
    /// 4:2:0, luma plane and interleaved V U plane.
    Nv21,
    /// 4:2:0, three planes.
    I420,
    /// 4:2:2, packed as Y0 U Y1 V.
    Yuyv,
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rgb8 => "RGB8",
            Self::Bgr8 => "BGR8",
            Self::Rgba8 => "RGBA8",
            Self::Bgra8 => "BGRA8",
            Self::Gray8 => "GRAY8",
            Self::Nv12 => "NV12",
            Self::Nv21 => "NV21",
            Self::I420 => "I420",
            Self::Yuyv => "YUYV",
        })
    }
}

impl PixelFormat {
    /// Every format.
    pub const ALL: [Self; 9] = [
        Self::Rgb8,
        Self::Bgr8,
        Self::Rgba8,
        Self::Bgra8,
        Self::Gray8,
        Self::Nv12,
        Self::Nv21,
        Self::I420,
        Self::Yuyv,
    ];

    /// How many planes a frame of this format has.
    ///
    /// ```
    /// assert_eq!(parkq_core::PixelFormat::I420.planes(), 3);
    /// ```
    pub const fn planes(self) -> usize {
        match self {
            Self::Nv12 | Self::Nv21 => 2,
            Self::I420 => 3,
            _ => 1,
        }
    }

    /// Width and height must be multiples of these: the pixels that share a chroma sample.
    pub(crate) const fn block(self) -> (u32, u32) {
        match self {
            Self::Nv12 | Self::Nv21 | Self::I420 => (2, 2),
            Self::Yuyv => (2, 1),
            _ => (1, 1),
        }
    }

    /// What a plane repeats: so many bytes for so many pixels across and down.
    const fn unit(self, plane: usize) -> Unit {
        let (bytes, width, height) = match (self, plane) {
            (Self::Rgb8 | Self::Bgr8, _) => (3, 1, 1),
            (Self::Rgba8 | Self::Bgra8, _) => (4, 1, 1),
            (Self::Yuyv, _) => (4, 2, 1),
            (Self::I420, 1 | 2) => (1, 2, 2),
            (Self::Nv12 | Self::Nv21, 1) => (2, 2, 2),
            _ => (1, 1, 1),
        };
        Unit { bytes, width, height }
    }

    /// Bytes in a row without padding, and rows, of one plane (from 0) of a frame of this size;
    /// zeroes for a plane that the format does not have.
    ///
    /// ```
    /// assert_eq!(parkq_core::PixelFormat::Nv12.plane_size(1, 640, 480), (640, 240));
    /// ```
    pub const fn plane_size(self, plane: usize, width: usize, height: usize) -> (usize, usize) {
        if plane >= self.planes() {
            return (0, 0);
        }
        let unit = self.unit(plane);
        ((width / unit.width).saturating_mul(unit.bytes), height / unit.height)
    }
}

#[derive(Clone, Copy)]
struct Unit {
    bytes: usize,
    width: usize,
    height: usize,
}

impl Unit {
    /// The bytes of a row, and the rows, that hold an area's pixels; taken outward.
    const fn span(self, area: PixelRect) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        let (left, right) = (area.left / self.width, area.right.div_ceil(self.width));
        let (top, bottom) = (area.top / self.height, area.bottom.div_ceil(self.height));
        (left * self.bytes..right * self.bytes, top..bottom)
    }
}

/// The matrix of Y'CbCr formats (ITU-R BT.601-7 section 2.5.1, BT.709-6 section 3.2).
///
/// ```
/// assert_eq!(parkq_core::Matrix::default(), parkq_core::Matrix::Bt601);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Matrix {
    /// Standard definition; what most USB cameras and JPEGs use. The default.
    #[default]
    Bt601,
    /// High definition.
    Bt709,
}

/// The range of Y'CbCr formats.
///
/// ```
/// assert_eq!(parkq_core::Range::default(), parkq_core::Range::Limited);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Range {
    /// Luma 16..=235, chroma 16..=240. The default.
    #[default]
    Limited,
    /// 0..=255.
    Full,
}

/// One plane of a frame: its bytes, and how many of them lie between the starts of two rows.
///
/// ```
/// let bytes = [0u8; 64];
/// let plane = parkq_core::Plane { bytes: &bytes, stride: 16 };
/// assert_eq!(plane.bytes.len() / plane.stride, 4);
/// ```
#[derive(Clone, Copy)]
pub struct Plane<'a> {
    /// The plane's memory, from its first row; the last row needs no padding.
    pub bytes: &'a [u8],
    /// Bytes from the start of one row to the next.
    pub stride: usize,
}

impl fmt::Debug for Plane<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plane({} bytes, stride {})", self.bytes.len(), self.stride)
    }
}

/// What is common to all frames, checked once.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Layout {
    format: PixelFormat,
    matrix: Matrix,
    range: Range,
    width: u32,
    height: u32,
    strides: [usize; 3],
}

impl fmt::Debug for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{} {}", self.width, self.height, self.format)
    }
}

impl Layout {
    /// Checks sizes, strides and buffer lengths (`planes`: bytes and stride of each).
    fn new(
        format: PixelFormat,
        width: u32,
        height: u32,
        planes: &[(usize, usize)],
    ) -> std::result::Result<Self, FrameError> {
        let max = Frame::MAX_SIDE;
        let (x, y) = format.block();
        if width == 0 || height == 0 {
            return Err(FrameError::ZeroSize { width, height });
        }
        if width > max || height > max {
            return Err(FrameError::TooLarge { width, height, max });
        }
        if !width.is_multiple_of(x) || !height.is_multiple_of(y) {
            return Err(FrameError::OddSize { format, width, height, x, y });
        }
        if planes.len() != format.planes() {
            let (actual, needed) = (planes.len(), format.planes());
            return Err(FrameError::PlaneCount { format, actual, needed });
        }
        let mut strides = [0; 3];
        for (plane, &(bytes, stride)) in planes.iter().enumerate() {
            let (row, rows) = format.plane_size(plane, width as usize, height as usize);
            if stride < row {
                let (actual, needed) = (stride, row);
                return Err(FrameError::StrideTooSmall { plane, actual, needed });
            }
            let needed = stride.saturating_mul(rows - 1).saturating_add(row);
            if bytes < needed {
                return Err(FrameError::BufferTooShort { plane, actual: bytes, needed });
            }
            strides[plane] = stride;
        }
        let (matrix, range) = Default::default();
        Ok(Self { format, matrix, range, width, height, strides })
    }

    /// Where each plane of a buffer without padding begins, and where the last ends.
    fn packed_offsets(format: PixelFormat, width: u32, height: u32) -> [usize; 4] {
        let mut offsets = [0; 4];
        for plane in 0..3 {
            let (row, rows) = format.plane_size(plane, width as usize, height as usize);
            offsets[plane + 1] = row.saturating_mul(rows).saturating_add(offsets[plane]);
        }
        offsets
    }

    /// The layout of a buffer without padding, and where its planes begin.
    fn packed(
        format: PixelFormat,
        width: u32,
        height: u32,
        bytes: usize,
    ) -> std::result::Result<(Self, [usize; 4]), FrameError> {
        let offsets = Self::packed_offsets(format, width, height);
        let planes: [(usize, usize); 3] = std::array::from_fn(|p| {
            let (row, _) = format.plane_size(p, width as usize, height as usize);
            (bytes.min(offsets[p + 1]).saturating_sub(offsets[p]), row)
        });
        let layout = Self::new(format, width, height, &planes[..format.planes()]);
        let layout = layout.map_err(|error| match error {
            FrameError::BufferTooShort { .. } if format.planes() > 1 => {
                FrameError::PackedTooShort { format, actual: bytes, needed: offsets[3] }
            }
            error => error,
        });
        Ok((layout?, offsets))
    }
}

/// A picture in borrowed memory.
///
/// Construction checks everything once; nothing that follows can run out of the buffer.
/// `Debug` prints size and format only.
///
/// ```
/// use parkq_core::{Frame, PixelFormat};
/// let pixels = vec![0u8; 640 * 480 * 3];
/// let frame = Frame::packed(PixelFormat::Rgb8, 640, 480, &pixels)?;
/// assert_eq!(format!("{frame:?}"), "Frame(640x480 RGB8)");
/// # Ok::<(), parkq_core::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    layout: Layout,
    planes: [&'a [u8]; 3],
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({:?})", self.layout)
    }
}

impl<'a> Frame<'a> {
    /// The largest width and height, pixels.
    pub const MAX_SIDE: u32 = 32_768;

    /// A frame over one to three planes, each with its own stride, in the order of
    /// [`PixelFormat`]'s table. Y'CbCr formats are taken as BT.601, limited range, until
    /// [`with_color`](Self::with_color) says otherwise.
    ///
    /// # Errors
    /// [`Error::Frame`](crate::Error::Frame) for a zero or too large size, a size that the
    /// format's chroma does not divide, a wrong number of planes, a stride shorter than a row,
    /// a buffer that ends before its last row.
    ///
    /// ```
    /// use parkq_core::{Frame, PixelFormat, Plane};
    /// let (luma, chroma) = (vec![16u8; 704 * 480], vec![128u8; 704 * 240]);
    /// let planes = [Plane { bytes: &luma, stride: 704 }, Plane { bytes: &chroma, stride: 704 }];
    /// let frame = Frame::new(PixelFormat::Nv12, 640, 480, &planes)?;
    /// assert_eq!((frame.width(), frame.height()), (640, 480));
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn new(format: PixelFormat, width: u32, height: u32, planes: &[Plane<'a>]) -> Result<Self> {
        let sizes: Vec<_> = planes.iter().map(|p| (p.bytes.len(), p.stride)).collect();
        let layout = Layout::new(format, width, height, &sizes)?;
        let planes = std::array::from_fn(|i| planes.get(i).map_or(&[][..], |p| p.bytes));
        Ok(Self { layout, planes })
    }

    /// A frame over one buffer in which rows and planes follow each other without padding.
    /// Bytes beyond the last plane are allowed and ignored.
    ///
    /// # Errors
    /// As [`Frame::new`].
    ///
    /// ```
    /// use parkq_core::{Frame, PixelFormat};
    /// let i420 = vec![128u8; 64 * 48 * 3 / 2];
    /// let frame = Frame::packed(PixelFormat::I420, 64, 48, &i420)?;
    /// assert_eq!(frame.format(), PixelFormat::I420);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn packed(format: PixelFormat, width: u32, height: u32, bytes: &'a [u8]) -> Result<Self> {
        let (layout, at) = Layout::packed(format, width, height, bytes.len())?;
        Ok(Self { layout, planes: std::array::from_fn(|p| &bytes[at[p]..at[p + 1]]) })
    }

    /// The same frame with its Y'CbCr matrix and range; RGB and gray formats ignore both.
    ///
    /// ```
    /// use parkq_core::{Frame, Matrix, PixelFormat, Range};
    /// let yuyv = [128u8; 32];
    /// let frame = Frame::packed(PixelFormat::Yuyv, 4, 4, &yuyv)?.with_color(Matrix::Bt709, Range::Full);
    /// assert_eq!(frame.width(), 4);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_color(mut self, matrix: Matrix, range: Range) -> Self {
        (self.layout.matrix, self.layout.range) = (matrix, range);
        self
    }

    /// Width in pixels.
    ///
    /// ```
    /// # use parkq_core::{Frame, PixelFormat};
    /// assert_eq!(Frame::packed(PixelFormat::Gray8, 3, 2, &[0; 6])?.width(), 3);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn width(&self) -> u32 {
        self.layout.width
    }

    /// Height in pixels.
    ///
    /// ```
    /// # use parkq_core::{Frame, PixelFormat};
    /// assert_eq!(Frame::packed(PixelFormat::Gray8, 3, 2, &[0; 6])?.height(), 2);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn height(&self) -> u32 {
        self.layout.height
    }

    /// How the pixels lie in memory.
    ///
    /// ```
    /// # use parkq_core::{Frame, PixelFormat};
    /// assert_eq!(Frame::packed(PixelFormat::Gray8, 3, 2, &[0; 6])?.format(), PixelFormat::Gray8);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn format(&self) -> PixelFormat {
        self.layout.format
    }

    /// The matrix that its colours are in.
    ///
    /// ```
    /// # use parkq_core::{Frame, Matrix, PixelFormat};
    /// assert_eq!(Frame::packed(PixelFormat::Gray8, 3, 2, &[0; 6])?.matrix(), Matrix::Bt601);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn matrix(&self) -> Matrix {
        self.layout.matrix
    }

    /// The range that its values are in.
    ///
    /// ```
    /// # use parkq_core::{Frame, PixelFormat, Range};
    /// assert_eq!(Frame::packed(PixelFormat::Gray8, 3, 2, &[0; 6])?.range(), Range::Limited);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn range(&self) -> Range {
        self.layout.range
    }

    /// A copy without padding; only of a frame that has been anonymized.
    pub(crate) fn duplicate(&self) -> RawFrame {
        let Layout { format, width, height, strides, .. } = self.layout;
        let length = Layout::packed_offsets(format, width, height)[3];
        let mut pixels = Zeroizing::new(Vec::with_capacity(length));
        let mut layout = self.layout;
        for (plane, bytes) in self.planes.iter().enumerate().take(format.planes()) {
            let (row, rows) = format.plane_size(plane, width as usize, height as usize);
            for y in 0..rows {
                pixels.extend_from_slice(&bytes[y * strides[plane]..][..row]);
            }
            layout.strides[plane] = row;
        }
        RawFrame { layout, pixels }
    }

    /// All pixels as RGB, 3 bytes each, row by row.
    pub(crate) fn to_rgb(self) -> Vec<u8> {
        let width = self.layout.width as usize;
        let mut pixels = vec![[0; 3]; width * self.layout.height as usize];
        for (y, row) in pixels.chunks_exact_mut(width).enumerate() {
            self.read_row(y, 0, row);
        }
        pixels.into_flattened()
    }

    /// The whole picture.
    pub(crate) fn area(&self) -> PixelRect {
        let (right, bottom) = (self.layout.width as usize, self.layout.height as usize);
        PixelRect { left: 0, top: 0, right, bottom }
    }

    /// The pixels that a rectangle touches.
    pub(crate) fn touched(&self, rect: Rect) -> PixelRect {
        PixelRect::touched(rect, self.layout.width, self.layout.height)
    }

    /// The area with all pixels that share its chroma samples.
    pub(crate) fn aligned(&self, area: PixelRect) -> PixelRect {
        let (x, y) = self.layout.format.block();
        let (x, y) = (x as usize, y as usize);
        PixelRect {
            left: area.left / x * x,
            top: area.top / y * y,
            right: area.right.next_multiple_of(x),
            bottom: area.bottom.next_multiple_of(y),
        }
    }

    /// The sum of the luma of an area's pixels, as it is stored; of colours, as in BT.601.
    pub(crate) fn luma_sum(&self, area: PixelRect) -> u64 {
        let Layout { format, strides, .. } = self.layout;
        let unit = format.unit(0);
        let (columns, rows) = unit.span(area);
        let sum = |row: &[u8]| -> u64 {
            let weighted = |weights: [u64; 3]| {
                let pixel = |p: &[u8]| (0..3).map(|c| weights[c] * u64::from(p[c])).sum::<u64>();
                row.chunks_exact(unit.bytes).map(pixel).sum::<u64>() / 1000
            };
            match format {
                PixelFormat::Rgb8 | PixelFormat::Rgba8 => weighted([299, 587, 114]),
                PixelFormat::Bgr8 | PixelFormat::Bgra8 => weighted([114, 587, 299]),
                PixelFormat::Yuyv => row.iter().step_by(2).map(|&y| u64::from(y)).sum(),
                _ => row.iter().map(|&y| u64::from(y)).sum(),
            }
        };
        rows.map(|y| sum(&self.planes[0][y * strides[0]..][columns.clone()])).sum()
    }

    /// The mean colour of some pixels, none of it converted; nothing if there are none.
    pub(crate) fn mean_paint(&self, pixels: impl Iterator<Item = (usize, usize)>) -> Option<Paint> {
        let Layout { format, strides, .. } = self.layout;
        let (mut sums, mut count) = ([[0u64; 4]; 3], 0);
        for (x, y) in pixels {
            for plane in 0..format.planes() {
                let unit = format.unit(plane);
                let at = y / unit.height * strides[plane] + x / unit.width * unit.bytes;
                for (sum, &byte) in sums[plane].iter_mut().zip(&self.planes[plane][at..]) {
                    *sum += u64::from(byte);
                }
            }
            count += 1;
        }
        let mean = |sum: u64| (sum / count) as u8;
        (count > 0).then(|| match format {
            PixelFormat::Rgb8 | PixelFormat::Bgr8 | PixelFormat::Rgba8 | PixelFormat::Bgra8 => {
                let [a, b, c, _] = sums[0].map(mean);
                Paint([[a, b, c, 255], [0; 4], [0; 4]])
            }
            PixelFormat::Yuyv => {
                let [y, u, _, v] = sums[0].map(mean);
                Paint::ycbcr(format, [y, u, v])
            }
            PixelFormat::Nv12 => {
                Paint::ycbcr(format, [mean(sums[0][0]), mean(sums[1][0]), mean(sums[1][1])])
            }
            PixelFormat::Nv21 => {
                Paint::ycbcr(format, [mean(sums[0][0]), mean(sums[1][1]), mean(sums[1][0])])
            }
            _ => Paint::ycbcr(format, [mean(sums[0][0]), mean(sums[1][0]), mean(sums[2][0])]),
        })
    }

    /// Pixels `x0..x0 + out.len()` of row `y` as RGB. Only these are converted.
    pub(crate) fn read_row(&self, y: usize, x0: usize, out: &mut [[u8; 3]]) {
        let Layout { format, strides, matrix, range, .. } = self.layout;
        let row = |plane: usize, y: usize| &self.planes[plane][y * strides[plane]..];
        let end = x0 + out.len();
        match format {
            PixelFormat::Rgb8 => {
                out.as_flattened_mut().copy_from_slice(&row(0, y)[3 * x0..3 * end])
            }
            PixelFormat::Bgr8 => {
                for (out, p) in out.iter_mut().zip(row(0, y)[3 * x0..].as_chunks::<3>().0) {
                    *out = [p[2], p[1], p[0]];
                }
            }
            PixelFormat::Rgba8 => {
                for (out, p) in out.iter_mut().zip(row(0, y)[4 * x0..].as_chunks::<4>().0) {
                    *out = [p[0], p[1], p[2]];
                }
            }
            PixelFormat::Bgra8 => {
                for (out, p) in out.iter_mut().zip(row(0, y)[4 * x0..].as_chunks::<4>().0) {
                    *out = [p[2], p[1], p[0]];
                }
            }
            PixelFormat::Gray8 => {
                for (out, &luma) in out.iter_mut().zip(&row(0, y)[x0..]) {
                    *out = [luma; 3];
                }
            }
            PixelFormat::Nv12 | PixelFormat::Nv21 => {
                let to_rgb = YuvToRgb::new(matrix, range);
                let (luma, chroma) = (row(0, y), row(1, y / 2));
                let (u, v) = if format == PixelFormat::Nv12 { (0, 1) } else { (1, 0) };
                for (x, out) in (x0..end).zip(out) {
                    let pair = x & !1;
                    *out = to_rgb.convert(luma[x], chroma[pair + u], chroma[pair + v]);
                }
            }
            PixelFormat::I420 => {
                let to_rgb = YuvToRgb::new(matrix, range);
                let (luma, u, v) = (row(0, y), row(1, y / 2), row(2, y / 2));
                for (x, out) in (x0..end).zip(out) {
                    *out = to_rgb.convert(luma[x], u[x / 2], v[x / 2]);
                }
            }
            PixelFormat::Yuyv => {
                let to_rgb = YuvToRgb::new(matrix, range);
                let packed = row(0, y);
                for (x, out) in (x0..end).zip(out) {
                    let pair = 4 * (x / 2);
                    *out = to_rgb.convert(packed[2 * x], packed[pair + 1], packed[pair + 3]);
                }
            }
        }
    }
}

/// The luma weights of red and blue: BT.601-7 2.5.1, BT.709-6 3.2.
const fn luma_weights(matrix: Matrix) -> (f64, f64) {
    match matrix {
        Matrix::Bt601 => (0.299, 0.114),
        Matrix::Bt709 => (0.2126, 0.0722),
    }
}

/// One R'G'B' colour as Y'CbCr.
fn to_ycbcr(rgb: [u8; 3], matrix: Matrix, range: Range) -> [u8; 3] {
    let (kr, kb) = luma_weights(matrix);
    let [r, g, b] = rgb.map(f64::from);
    let y = kr * r + (1.0 - kr - kb) * g + kb * b;
    let (u, v) = ((b - y) / (2.0 * (1.0 - kb)), (r - y) / (2.0 * (1.0 - kr)));
    let (luma, chroma, offset) = match range {
        Range::Limited => (219.0 / 255.0, 224.0 / 255.0, 16.0),
        Range::Full => (1.0, 1.0, 0.0),
    };
    // A float becomes the nearest byte; the cast saturates.
    [offset + y * luma, 128.0 + u * chroma, 128.0 + v * chroma].map(|value| value.round() as u8)
}

/// Y'CbCr to R'G'B' in 16.16 fixed point. Written here, and not taken from a library,
/// because libraries convert whole pictures and spaces need only a few rows of them.
struct YuvToRgb {
    luma: i32,
    offset: i32,
    r_v: i32,
    g_u: i32,
    g_v: i32,
    b_u: i32,
}

impl YuvToRgb {
    fn new(matrix: Matrix, range: Range) -> Self {
        let (kr, kb) = luma_weights(matrix);
        let (luma, chroma, offset) = match range {
            Range::Limited => (255.0 / 219.0, 255.0 / 224.0, 16),
            Range::Full => (1.0, 1.0, 0),
        };
        let kg = 1.0 - kr - kb;
        let fixed = |v: f64| (v * 65_536.0).round() as i32;
        Self {
            luma: fixed(luma),
            offset,
            r_v: fixed(2.0 * (1.0 - kr) * chroma),
            g_u: fixed(2.0 * (1.0 - kb) * kb / kg * chroma),
            g_v: fixed(2.0 * (1.0 - kr) * kr / kg * chroma),
            b_u: fixed(2.0 * (1.0 - kb) * chroma),
        }
    }

    fn convert(&self, y: u8, u: u8, v: u8) -> [u8; 3] {
        let y = (i32::from(y) - self.offset) * self.luma + 32_768;
        let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
        let byte = |v: i32| (v >> 16).clamp(0, 255) as u8;
        [byte(y + v * self.r_v), byte(y - u * self.g_u - v * self.g_v), byte(y + u * self.b_u)]
    }
}

/// One plane of a frame that may be written.
///
/// ```
/// let mut bytes = [0u8; 64];
/// let plane = parkq_core::PlaneMut { bytes: &mut bytes, stride: 16 };
/// assert_eq!(plane.stride, 16);
/// ```
pub struct PlaneMut<'a> {
    /// The plane's memory, from its first row; the last row needs no padding.
    pub bytes: &'a mut [u8],
    /// Bytes from the start of one row to the next.
    pub stride: usize,
}

impl fmt::Debug for PlaneMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlaneMut({} bytes, stride {})", self.bytes.len(), self.stride)
    }
}

/// A picture in borrowed memory that may be written: a camera's lent buffer.
///
/// ```
/// use parkq_core::{FrameMut, PixelFormat};
/// let mut nv12 = vec![128u8; 64 * 48 * 3 / 2];
/// let frame = FrameMut::packed(PixelFormat::Nv12, 64, 48, &mut nv12)?;
/// assert_eq!(format!("{frame:?}"), "FrameMut(64x48 NV12)");
/// # Ok::<(), parkq_core::Error>(())
/// ```
pub struct FrameMut<'a> {
    layout: Layout,
    planes: [&'a mut [u8]; 3],
}

impl fmt::Debug for FrameMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameMut({:?})", self.layout)
    }
}

impl<'a> FrameMut<'a> {
    /// As [`Frame::new`].
    ///
    /// # Errors
    /// As [`Frame::new`].
    ///
    /// ```
    /// use parkq_core::{FrameMut, PixelFormat, PlaneMut};
    /// let mut bytes = vec![0u8; 700 * 480];
    /// let plane = PlaneMut { bytes: &mut bytes, stride: 700 };
    /// let frame = FrameMut::new(PixelFormat::Gray8, 640, 480, [plane])?;
    /// assert_eq!(frame.as_frame().width(), 640);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn new(
        format: PixelFormat,
        width: u32,
        height: u32,
        planes: impl IntoIterator<Item = PlaneMut<'a>>,
    ) -> Result<Self> {
        // One more than any format has is enough to see that there are too many.
        let given: Vec<_> = planes.into_iter().take(4).collect();
        let sizes: Vec<_> = given.iter().map(|p| (p.bytes.len(), p.stride)).collect();
        let layout = Layout::new(format, width, height, &sizes)?;
        let mut planes: [&'a mut [u8]; 3] = Default::default();
        for (slot, plane) in planes.iter_mut().zip(given) {
            *slot = plane.bytes;
        }
        Ok(Self { layout, planes })
    }

    /// As [`Frame::packed`].
    ///
    /// # Errors
    /// As [`Frame::new`].
    ///
    /// ```
    /// use parkq_core::{FrameMut, PixelFormat};
    /// assert!(FrameMut::packed(PixelFormat::Gray8, 3, 2, &mut [0; 6]).is_ok());
    /// ```
    pub fn packed(
        format: PixelFormat,
        width: u32,
        height: u32,
        bytes: &'a mut [u8],
    ) -> Result<Self> {
        let (layout, at) = Layout::packed(format, width, height, bytes.len())?;
        let (first, rest) = bytes.split_at_mut(at[1]);
        let (second, rest) = rest.split_at_mut(at[2] - at[1]);
        let third = &mut rest[..at[3] - at[2]];
        Ok(Self { layout, planes: [first, second, third] })
    }

    /// As [`Frame::with_color`].
    ///
    /// ```
    /// use parkq_core::{FrameMut, Matrix, PixelFormat, Range};
    /// let mut yuyv = [128u8; 32];
    /// let frame = FrameMut::packed(PixelFormat::Yuyv, 4, 4, &mut yuyv)?;
    /// let _ = frame.with_color(Matrix::Bt709, Range::Full);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_color(mut self, matrix: Matrix, range: Range) -> Self {
        (self.layout.matrix, self.layout.range) = (matrix, range);
        self
    }

    /// The same picture, read only.
    ///
    /// ```
    /// # use parkq_core::{FrameMut, PixelFormat};
    /// let mut bytes = [0; 6];
    /// let frame = FrameMut::packed(PixelFormat::Gray8, 3, 2, &mut bytes)?;
    /// assert_eq!(frame.as_frame().height(), 2);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn as_frame(&self) -> Frame<'_> {
        Frame { layout: self.layout, planes: std::array::from_fn(|i| &*self.planes[i]) }
    }

    /// Gives every pixel of an area within the frame the same colour: the one way in which
    /// pixels are destroyed. Chroma that pixels outside share is destroyed too; all other bytes,
    /// stride padding among them, stay as they are.
    pub(crate) fn fill(&mut self, area: PixelRect, paint: Paint) {
        if area.is_empty() {
            return;
        }
        let Layout { format, strides, .. } = self.layout;
        for (plane, bytes) in self.planes.iter_mut().enumerate().take(format.planes()) {
            let (unit, stride) = (format.unit(plane), strides[plane]);
            let (columns, rows) = unit.span(area);
            let pattern = &paint.0[plane][..unit.bytes];
            let row = |y: usize| y * stride + columns.start..y * stride + columns.end;
            if pattern.iter().all(|&byte| byte == pattern[0]) {
                for y in rows {
                    bytes[row(y)].fill(pattern[0]);
                }
            } else {
                let first = row(rows.start);
                for to in bytes[first.clone()].chunks_exact_mut(unit.bytes) {
                    to.copy_from_slice(pattern);
                }
                for y in rows.skip(1) {
                    bytes.copy_within(first.clone(), row(y).start);
                }
            }
        }
    }

    /// Makes every pixel that a polygon (relative coordinates) touches black; the rectangle
    /// round them.
    pub(crate) fn burn(&mut self, polygon: &[Point]) -> PixelRect {
        let black = Paint::colour(&self.as_frame(), [0; 3]);
        let spans = polygon_spans(polygon, self.layout.width, self.layout.height);
        spans.inspect(|&span| self.fill(span, black)).reduce(PixelRect::hull).unwrap_or_default()
    }

    /// Makes all of it black.
    pub(crate) fn black_out(&mut self) {
        let black = Paint::colour(&self.as_frame(), [0; 3]);
        self.fill(self.as_frame().area(), black);
    }
}

/// What a fill writes: the bytes of one unit of each plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint([[u8; 4]; 3]);

impl Paint {
    /// Red, green and blue in a frame's format.
    pub(crate) fn colour(frame: &Frame<'_>, rgb: [u8; 3]) -> Self {
        let [r, g, b] = rgb;
        let Layout { format, matrix, range, .. } = frame.layout;
        match format {
            PixelFormat::Rgb8 | PixelFormat::Rgba8 => Self([[r, g, b, 255], [0; 4], [0; 4]]),
            PixelFormat::Bgr8 | PixelFormat::Bgra8 => Self([[b, g, r, 255], [0; 4], [0; 4]]),
            // Gray is full-range luma, weighted as in BT.601.
            PixelFormat::Gray8 => Self::ycbcr(format, to_ycbcr(rgb, Matrix::Bt601, Range::Full)),
            _ => Self::ycbcr(format, to_ycbcr(rgb, matrix, range)),
        }
    }

    /// A luma value as it is stored, without colour.
    pub(crate) fn gray(frame: &Frame<'_>, luma: u8) -> Self {
        match frame.layout.format {
            PixelFormat::Rgb8 | PixelFormat::Rgba8 | PixelFormat::Bgr8 | PixelFormat::Bgra8 => {
                Self::colour(frame, [luma; 3])
            }
            format => Self::ycbcr(format, [luma, 128, 128]),
        }
    }

    fn ycbcr(format: PixelFormat, [y, u, v]: [u8; 3]) -> Self {
        Self(match format {
            PixelFormat::Nv12 => [[y; 4], [u, v, u, v], [0; 4]],
            PixelFormat::Nv21 => [[y; 4], [v, u, v, u], [0; 4]],
            PixelFormat::Yuyv => [[y, u, y, v], [0; 4], [0; 4]],
            _ => [[y; 4], [u; 4], [v; 4]],
        })
    }
}

/// A picture that may show people and plates: parkq owns its pixels, nobody can reach them,
/// and they are wiped when it is dropped.
///
/// It is not `Clone`, not serialisable, has no accessor for its pixels, and `Debug` prints its
/// size and format only. What cannot be wiped is what parkq does not own: the compressed bytes
/// or the buffer that you made it from, and the decoder's working memory, unless the
/// application runs under an allocator that wipes what it frees.
///
/// ```
/// use parkq_core::{PixelFormat, RawFrame};
/// let raw = RawFrame::from_pixels(PixelFormat::Rgb8, 2, 1, vec![1, 2, 3, 4, 5, 6])?;
/// assert_eq!(format!("{raw:?}"), "RawFrame(2x1 RGB8)");
/// # Ok::<(), parkq_core::Error>(())
/// ```
///
/// ```compile_fail
/// fn clone(raw: &parkq_core::RawFrame) -> parkq_core::RawFrame { raw.clone() }
/// ```
pub struct RawFrame {
    layout: Layout,
    pixels: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for RawFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawFrame({:?})", self.layout)
    }
}

impl RawFrame {
    /// Takes over a buffer in which rows and planes follow each other without padding;
    /// it is wiped even if it is refused.
    ///
    /// # Errors
    /// As [`Frame::new`].
    ///
    /// ```
    /// use parkq_core::{PixelFormat, RawFrame};
    /// let raw = RawFrame::from_pixels(PixelFormat::Nv12, 64, 48, vec![128; 64 * 48 * 3 / 2])?;
    /// assert_eq!((raw.width(), raw.height()), (64, 48));
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn from_pixels(
        format: PixelFormat,
        width: u32,
        height: u32,
        pixels: Vec<u8>,
    ) -> Result<Self> {
        let pixels = Zeroizing::new(pixels);
        let (layout, _) = Layout::packed(format, width, height, pixels.len())?;
        Ok(Self { layout, pixels })
    }

    /// Decodes a JPEG, PNG or WebP within [`DecodeLimits::default`].
    ///
    /// # Errors
    /// As [`RawFrame::decode_with`].
    ///
    /// ```
    /// use parkq_core::RawFrame;
    /// # let jpeg = include_bytes!("../../examples/data/scene.jpg");
    /// let raw = RawFrame::decode(jpeg)?;
    /// assert!(raw.width() >= 1280);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    #[cfg(feature = "image")]
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        Self::decode_with(bytes, DecodeLimits::default())
    }

    /// Decodes a JPEG, PNG or WebP. The EXIF orientation is applied; all other metadata is
    /// ignored. 16-bit pictures keep their upper 8 bits, alpha is ignored.
    ///
    /// # Errors
    /// [`Error::Decode`](crate::Error::Decode) for other formats, a malformed or truncated
    /// file, and a picture above the limits; [`Error::Frame`](crate::Error::Frame) for sides above
    /// [`Frame::MAX_SIDE`]. Too large a picture is refused before memory is taken for it.
    ///
    /// ```
    /// use parkq_core::{DecodeLimits, RawFrame};
    /// # let jpeg = include_bytes!("../../examples/data/scene.jpg");
    /// let small = DecodeLimits::default().max_pixels(1_000);
    /// assert!(RawFrame::decode_with(jpeg, small).is_err());
    /// ```
    #[cfg(feature = "image")]
    pub fn decode_with(bytes: &[u8], limits: DecodeLimits) -> Result<Self> {
        let (width, height, pixels) = crate::codec::decode(bytes, limits)?;
        let (layout, _) = Layout::packed(PixelFormat::Rgb8, width, height, pixels.len())?;
        Ok(Self { layout, pixels })
    }

    /// Width in pixels, after the orientation was applied.
    ///
    /// ```
    /// # use parkq_core::{PixelFormat, RawFrame};
    /// assert_eq!(RawFrame::from_pixels(PixelFormat::Gray8, 3, 2, vec![0; 6])?.width(), 3);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn width(&self) -> u32 {
        self.layout.width
    }

    /// Height in pixels, after the orientation was applied.
    ///
    /// ```
    /// # use parkq_core::{PixelFormat, RawFrame};
    /// assert_eq!(RawFrame::from_pixels(PixelFormat::Gray8, 3, 2, vec![0; 6])?.height(), 2);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    pub fn height(&self) -> u32 {
        self.layout.height
    }

    /// The same picture with its Y'CbCr matrix and range, as [`Frame::with_color`].
    ///
    /// ```
    /// # use parkq_core::{Matrix, PixelFormat, Range, RawFrame};
    /// let raw = RawFrame::from_pixels(PixelFormat::Yuyv, 2, 1, vec![128; 4])?;
    /// let _ = raw.with_color(Matrix::Bt709, Range::Full);
    /// # Ok::<(), parkq_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_color(mut self, matrix: Matrix, range: Range) -> Self {
        (self.layout.matrix, self.layout.range) = (matrix, range);
        self
    }

    pub(crate) fn as_frame(&self) -> Frame<'_> {
        let Layout { format, width, height, .. } = self.layout;
        let at = Layout::packed_offsets(format, width, height);
        let planes = std::array::from_fn(|p| &self.pixels[at[p]..at[p + 1]]);
        Frame { layout: self.layout, planes }
    }

    /// Its bytes; only for a frame that has been anonymized.
    pub(crate) fn pixels(&self) -> &[u8] {
        let Layout { format, width, height, .. } = self.layout;
        &self.pixels[..Layout::packed_offsets(format, width, height)[3]]
    }

    /// A copy; only of a frame that has been anonymized.
    pub(crate) fn duplicate(&self) -> Self {
        Self { layout: self.layout, pixels: self.pixels.clone() }
    }

    pub(crate) fn as_frame_mut(&mut self) -> FrameMut<'_> {
        let Layout { format, width, height, .. } = self.layout;
        let at = Layout::packed_offsets(format, width, height);
        let (first, rest) = self.pixels.split_at_mut(at[1]);
        let (second, rest) = rest.split_at_mut(at[2] - at[1]);
        let third = &mut rest[..at[3] - at[2]];
        FrameMut { layout: self.layout, planes: [first, second, third] }
    }
}

/// One buffer as a frame, from an array of `[height, width, 3]` (RGB).
///
/// # Errors
/// As [`Frame::new`]; arrays whose channels, pixels or rows are not next to each other are refused.
#[cfg(feature = "ndarray")]
impl<'a> TryFrom<ndarray::ArrayView3<'a, u8>> for Frame<'a> {
    type Error = crate::Error;

    fn try_from(array: ndarray::ArrayView3<'a, u8>) -> Result<Self> {
        let (height, width, channels) = array.dim();
        let side = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        if channels != 3 {
            return Err(FrameError::Channels { actual: channels, needed: 3 }.into());
        }
        let bytes = array.to_slice().ok_or(FrameError::Scattered)?;
        Self::packed(PixelFormat::Rgb8, side(width), side(height), bytes)
    }
}
