//! Labels on sheets of A4, as an HTML page to print: three by eight of 70 by 37 mm, a size that sheets of labels are
//! sold in.

use std::fmt::Write;

use super::{
    layout::{DOTS_PER_MM, HEIGHT, Layout, WIDTH},
    svg::{draw_svg, escape_markup},
};

const COLUMNS: usize = 3;
const ROWS: usize = 8;
/// Labels per sheet.
pub(crate) const PER_SHEET: usize = COLUMNS * ROWS;
const PAGE_WIDTH: usize = 210 * DOTS_PER_MM;
const PAGE_HEIGHT: usize = 297 * DOTS_PER_MM;
/// Margin above the rows: eight rows are a millimetre lower than the page.
const TOP: usize = (PAGE_HEIGHT - ROWS * HEIGHT) / 2;

/// An HTML page with a sheet for every 24 labels. The first `used` places of the first sheet stay empty: their labels are
/// peeled off already.
pub(crate) fn render_sheets(title: &str, labels: &[Layout], used: usize) -> String {
    let title = escape_markup(title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n<style>\n\
         @page {{ size: A4; margin: 0 }}\nbody {{ margin: 0 }}\n\
         svg {{ display: block; width: 210mm; height: 297mm; break-after: page; break-inside: avoid }}\n\
         svg:last-child {{ break-after: auto }}\n</style>\n</head>\n<body>\n"
    );
    let places: Vec<Option<&Layout>> =
        std::iter::repeat_n(None, used % PER_SHEET).chain(labels.iter().map(Some)).collect();
    for page in places.chunks(PER_SHEET) {
        writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {PAGE_WIDTH} {PAGE_HEIGHT}\">"
        )
        .expect("writing to a String never fails");
        for (place, layout) in page.iter().enumerate().filter_map(|(place, it)| Some((place, (*it)?))) {
            let (left, top) = (place % COLUMNS * WIDTH, TOP + place / COLUMNS * HEIGHT);
            writeln!(out, "<g transform=\"translate({left} {top})\">\n{}</g>", draw_svg(layout))
                .expect("writing to a String never fails");
        }
        out.push_str("</svg>\n");
    }
    out.push_str("</body>\n</html>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::main_engine;

    #[test]
    fn a_sheet_that_was_begun_is_used_up() {
        let labels = vec![Layout::of(&main_engine()).unwrap(); 25];
        let pages = |used| render_sheets("Nordic Star", &labels, used).matches("<svg").count();
        assert_eq!((pages(0), pages(23), pages(24)), (2, 2, 2));
        assert_eq!(render_sheets("Nordic Star", &labels[..2], 23).matches("<svg").count(), 2);
        let first = render_sheets("A", &labels[..1], 5);
        // The sixth place: third column, second row.
        assert!(first.contains("translate(1120 300)"), "{}", &first[..800]);
    }

    #[test]
    fn three_columns_fill_the_width_of_the_page() {
        assert_eq!(COLUMNS * WIDTH, PAGE_WIDTH);
    }
}
