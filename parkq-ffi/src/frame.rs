//! `parkq_frame`: a camera's planes.

use std::mem::MaybeUninit;

use parkq_core::{Frame, FrameMut, Matrix, PixelFormat, Plane, PlaneMut, Range, Rect, Redaction};

use crate::boundary::write;
use crate::memory::{self, Room};
use crate::pointers::{check_range, given};
use crate::status::{Failure, parkq_status};

/// How the pixels of a frame lie in memory.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum parkq_pixel_format {
    /// One plane: red, green, blue.
    Rgb8 = 1,
    /// One plane: blue, green, red.
    Bgr8 = 2,
    /// One plane: red, green, blue, alpha (ignored).
    Rgba8 = 3,
    /// One plane: blue, green, red, alpha (ignored).
    Bgra8 = 4,
    /// One plane: luma.
    Gray8 = 5,
    /// Two planes: Y, then U V interleaved at half the width and height. Even sizes only.
    Nv12 = 6,
    /// Two planes: Y, then V U interleaved at half the width and height. Even sizes only.
    Nv21 = 7,
    /// Three planes: Y, U, V, the last two at half the width and height. Even sizes only.
    I420 = 8,
    /// One plane: Y0 U Y1 V. Even widths only.
    Yuyv = 9,
}

/// The matrix of Y'CbCr formats; the others ignore it.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum parkq_matrix {
    /// ITU-R BT.601, standard definition: what most USB cameras and JPEGs use.
    Bt601 = 0,
    /// ITU-R BT.709, high definition.
    Bt709 = 1,
}

/// The range of Y'CbCr formats; the others ignore it.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum parkq_range {
    /// Luma 16 to 235, chroma 16 to 240.
    Limited = 0,
    /// 0 to 255.
    Full = 1,
}

/// A picture in your memory.
///
/// You own the struct and the planes. A call uses them until it returns and keeps neither;
/// meanwhile nobody else may write the planes, nor read them if the call writes. Which calls
/// write is said at each; those that only read take planes in read-only memory. Set unused
/// planes to NULL. `parkq_frame_packed` fills this in for a buffer without padding.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct parkq_frame {
    /// One of `parkq_pixel_format`.
    pub format: u32,
    /// Width in pixels, 1 to 32,768.
    pub width: u32,
    /// Height in pixels, 1 to 32,768.
    pub height: u32,
    /// One of `parkq_matrix`.
    pub matrix: u32,
    /// One of `parkq_range`.
    pub range: u32,
    /// The first byte of each plane. A plane has at least `stride * (rows - 1) + row` bytes,
    /// `row` being the bytes of a row without padding, and `rows` their number.
    pub plane: [*mut u8; 3],
    /// Bytes from the start of one row to the next, for each plane; at least those of a row.
    pub stride: [usize; 3],
}

const FORMATS: [PixelFormat; 9] = [
    PixelFormat::Rgb8,
    PixelFormat::Bgr8,
    PixelFormat::Rgba8,
    PixelFormat::Bgra8,
    PixelFormat::Gray8,
    PixelFormat::Nv12,
    PixelFormat::Nv21,
    PixelFormat::I420,
    PixelFormat::Yuyv,
];

fn pixel_format(number: u32) -> Result<PixelFormat, Failure> {
    let index = (number as usize).checked_sub(1);
    let format = index.and_then(|index| FORMATS.get(index)).copied();
    let wrong = || format!("frame: format is {number}, 1..={} is needed", FORMATS.len());
    format.ok_or_else(|| Failure::new(parkq_status::Argument, wrong()))
}

impl parkq_frame {
    /// Of a frame whose rows and planes follow each other from `start` on.
    pub(crate) fn packed(frame: &Frame<'_>, start: *mut u8) -> Self {
        let (kind, width, height) = (frame.format(), frame.width(), frame.height());
        let (mut plane, mut stride) = ([std::ptr::null_mut(); 3], [0; 3]);
        let mut at = start;
        for i in 0..kind.planes() {
            let (row, rows) = kind.plane_size(i, width as usize, height as usize);
            (plane[i], stride[i]) = (at, row);
            at = at.wrapping_add(row * rows);
        }
        let format = FORMATS.iter().position(|f| *f == kind).map_or(0, |i| i as u32 + 1);
        let matrix = (frame.matrix() == Matrix::Bt709).into();
        let range = (frame.range() == Range::Full).into();
        Self { format, width, height, matrix, range, plane, stride }
    }

    fn color(&self) -> Result<(Matrix, Range), Failure> {
        let wrong = |what, number| {
            let message = format!("frame: {what} is {number}, 0 or 1 is needed");
            Err(Failure::new(parkq_status::Argument, message))
        };
        let matrix = match self.matrix {
            0 => Matrix::Bt601,
            1 => Matrix::Bt709,
            number => return wrong("matrix", number),
        };
        let range = match self.range {
            0 => Range::Limited,
            1 => Range::Full,
            number => return wrong("range", number),
        };
        Ok((matrix, range))
    }

    /// The length of each plane: 0 if its size or stride is not allowed, which the core's check
    /// then says before it looks at lengths.
    fn lengths(&self, format: PixelFormat) -> Result<[usize; 3], Failure> {
        let mut lengths = [0; 3];
        let sides = 1..=Frame::MAX_SIDE;
        if !sides.contains(&self.width) || !sides.contains(&self.height) {
            return Ok(lengths);
        }
        for (plane, length) in lengths.iter_mut().enumerate().take(format.planes()) {
            let (row, rows) = format.plane_size(plane, self.width as usize, self.height as usize);
            let stride = self.stride[plane];
            if stride < row || rows == 0 {
                continue;
            }
            *length = stride.saturating_mul(rows - 1).saturating_add(row);
            let name = ["frame: plane 0", "frame: plane 1", "frame: plane 2"][plane];
            check_range(self.plane[plane].addr(), *length, name)?;
        }
        Ok(lengths)
    }

    /// The picture, to read.
    ///
    /// # Safety
    /// The planes are readable, and nobody writes them, for `'a`.
    pub(crate) unsafe fn view<'a>(&self) -> Result<Frame<'a>, Failure> {
        let format = pixel_format(self.format)?;
        let (matrix, range) = self.color()?;
        let lengths = self.lengths(format)?;
        let plane = |i: usize| {
            let bytes = if lengths[i] == 0 {
                &[]
            } else {
                // SAFETY: the range was checked; readable by this function's contract.
                unsafe { std::slice::from_raw_parts(self.plane[i].cast_const(), lengths[i]) }
            };
            Plane { bytes, stride: self.stride[i] }
        };
        let planes = [plane(0), plane(1), plane(2)];
        let planes = &planes[..format.planes()];
        Ok(Frame::new(format, self.width, self.height, planes)?.with_color(matrix, range))
    }

    /// The picture, to read and write.
    ///
    /// # Safety
    /// The planes are readable and writable, and nobody else uses them, for `'a`.
    pub(crate) unsafe fn view_mut<'a>(&self) -> Result<FrameMut<'a>, Failure> {
        let format = pixel_format(self.format)?;
        let (matrix, range) = self.color()?;
        let lengths = self.lengths(format)?;
        let span = |i: usize| self.plane[i].addr()..self.plane[i].addr() + lengths[i];
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            let (x, y) = (span(a), span(b));
            if lengths[a].min(lengths[b]) > 0 && x.start < y.end && y.start < x.end {
                let message = format!("frame: planes {a} and {b} overlap");
                return Err(Failure::new(parkq_status::Argument, message));
            }
        }
        let plane = |i: usize| {
            let bytes = if lengths[i] == 0 {
                &mut []
            } else {
                // SAFETY: the range was checked, and the planes do not overlap; ours alone by
                // this function's contract.
                unsafe { std::slice::from_raw_parts_mut(self.plane[i], lengths[i]) }
            };
            PlaneMut { bytes, stride: self.stride[i] }
        };
        let planes = (0..format.planes()).map(plane);
        Ok(FrameMut::new(format, self.width, self.height, planes)?.with_color(matrix, range))
    }
}

/// A picture that was lent to be anonymized. If it is given up before that has begun, it is
/// filled with black: a caller that overlooks a status must not send it on.
pub(crate) struct Lent<'a>(Option<FrameMut<'a>>);

impl<'a> Lent<'a> {
    /// # Safety
    /// As [`parkq_frame::view_mut`].
    pub(crate) unsafe fn new(frame: Option<&parkq_frame>) -> Result<Self, Failure> {
        // SAFETY: by this function's contract.
        Ok(Self(Some(unsafe { given(frame, "frame")?.view_mut() }?)))
    }

    /// Width and height.
    pub(crate) fn size(&self) -> (u32, u32) {
        let size = |frame: &FrameMut<'_>| (frame.as_frame().width(), frame.as_frame().height());
        self.0.as_ref().map_or((0, 0), size)
    }

    /// Room for what the work on it may take, and for a copy of it if that is asked for.
    pub(crate) fn room(&self, needed: usize, copy: bool) -> Result<Room, Failure> {
        let (width, height) = self.size();
        let pixels = if copy { width as usize * height as usize } else { 0 };
        memory::reserve(needed.saturating_add(pixels.saturating_mul(4)))
    }

    /// Destroys rectangles of it, and no more.
    pub(crate) fn redact(mut self, redaction: Redaction, rects: &[Rect]) -> Result<(), Failure> {
        if let Some(frame) = &mut self.0 {
            redaction.apply(frame, rects)?;
        }
        self.take()?;
        Ok(())
    }

    /// Hands it to the core, which fills it if it fails.
    pub(crate) fn take(mut self) -> Result<FrameMut<'a>, Failure> {
        given(self.0.take(), "frame")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(frame) = &mut self.0 {
            let side = Frame::MAX_SIDE as f32; // what lies outside the picture is ignored
            let all = Rect { x: 0.0, y: 0.0, width: side, height: side };
            // The default redaction, a black fill, does not fail.
            let _ = Redaction::default().apply(frame, &[all]);
        }
    }
}

/// Describes a buffer in which rows and planes follow each other without padding, in BT.601,
/// limited range.
///
/// Reads `format`, `width` and `height`; the `length` bytes at `bytes` are not looked at. Writes
/// `frame`, whose planes point into `bytes`. Fails with PARKQ_STATUS_FRAME for a size that is not
/// allowed, or a buffer that is too short.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_frame_packed(
    format: u32,
    width: u32,
    height: u32,
    bytes: *mut u8,
    length: usize,
    frame: Option<&mut MaybeUninit<parkq_frame>>,
) -> parkq_status {
    write(frame, "frame", || {
        let kind = pixel_format(format)?;
        check_range(bytes.addr(), length, "bytes")?;
        // SAFETY: the range was checked; readable by this function's contract.
        let all = unsafe { std::slice::from_raw_parts(bytes.cast_const(), length) };
        Ok(parkq_frame::packed(&Frame::packed(kind, width, height, all)?, bytes))
    })
}
