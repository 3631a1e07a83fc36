//! A label as PNG, for label printers: 203 dpi, grey.

use noto_sans_mono_bitmap::{get_raster, get_raster_width};
use png::{BitDepth, ColorType, Encoder, EncodingError, PixelDimensions, Unit};

use super::layout::{DOTS_PER_MM, HEIGHT, Layout, WIDTH};

/// Letters outside the Latin alphabets, which the font lacks, are drawn as question marks. A code has no such letters.
pub(crate) fn render_png(layout: &Layout) -> Result<Vec<u8>, EncodingError> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, WIDTH as u32, HEIGHT as u32);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    let per_metre = DOTS_PER_MM as u32 * 1000;
    encoder.set_pixel_dims(Some(PixelDimensions { xppu: per_metre, yppu: per_metre, unit: Unit::Meter }));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&draw_dots(layout))?;
    writer.finish()?;
    Ok(out)
}

fn draw_dots(layout: &Layout) -> Vec<u8> {
    let mut dots = vec![255; WIDTH * HEIGHT];
    for (at, _) in layout.modules.iter().enumerate().filter(|(_, dark)| **dark) {
        let (x, y) = (at % layout.side, at / layout.side);
        let left = layout.origin.0 + x * layout.module;
        for dy in 0..layout.module {
            let start = (layout.origin.1 + y * layout.module + dy) * WIDTH + left;
            dots[start..start + layout.module].fill(0);
        }
    }
    for line in &layout.lines {
        let width = get_raster_width(line.weight, line.size);
        for (at, c) in line.text.chars().enumerate() {
            let glyph = get_raster(c, line.weight, line.size).or(get_raster('?', line.weight, line.size));
            for (dy, row) in glyph.into_iter().flat_map(|glyph| glyph.rows()).enumerate() {
                let start = (line.top + dy) * WIDTH + line.left + at * width;
                for (dot, ink) in dots[start..].iter_mut().zip(row) {
                    *dot = 255 - *ink;
                }
            }
        }
    }
    dots
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::{Label, main_engine};

    fn read_back(png: &[u8]) -> (Vec<String>, usize) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut dots = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut dots).unwrap();
        let (width, height) = (info.width as usize, info.height as usize);
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| dots[y * width + x]);
        let grids = image.detect_grids();
        let texts = grids.iter().map(|grid| grid.decode().unwrap());
        texts.fold((Vec::new(), 0), |(mut all, _), (meta, text)| {
            all.push(text);
            (all, usize::from(meta.ecc_level))
        })
    }

    #[test]
    fn a_scanner_reads_the_code_and_nothing_else() {
        let long = Label { qr_code: "ACME-".to_owned() + &"0123456789".repeat(5), ..main_engine() };
        for label in [main_engine(), long] {
            let png = render_png(&Layout::of(&label).unwrap()).unwrap();
            let (texts, level) = read_back(&png);
            assert_eq!(texts, [label.qr_code]);
            // ISO 18004 writes level Q as 0b11.
            assert_eq!(level, 0b11);
        }
    }

    #[test]
    fn a_scanner_still_reads_a_symbol_with_a_stain() {
        let layout = Layout::of(&main_engine()).unwrap();
        let mut stained = layout.clone();
        // A white blot over a tenth of the symbol, away from its three corners.
        let blot = layout.side / 3;
        for y in 0..blot {
            for x in 0..blot {
                let at = (layout.side - 1 - y) * layout.side + layout.side - 1 - x;
                stained.modules[at] = if (9..=12).contains(&(x + y)) { layout.modules[at] } else { false };
            }
        }
        assert_ne!(stained.modules, layout.modules);
        let (texts, _) = read_back(&render_png(&stained).unwrap());
        assert_eq!(texts, [main_engine().qr_code]);
    }

    #[test]
    fn a_name_in_another_script_is_drawn_without_failing() {
        let label = Label {
            vessel: "Полярная звезда 北極星".into(),
            name: "Hauptmaschine Größe Ł".into(),
            ..main_engine()
        };
        assert!(render_png(&Layout::of(&label).unwrap()).is_ok());
    }
}
