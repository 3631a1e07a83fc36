//! Tables that fit the terminal.
//!
//! A column is never cut: ids must survive copying. Where a table is too wide, columns of text are wrapped; then columns that
//! can be done without are left out, and named; then each row is printed as a list of its fields.

use chassis::terminal;
use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, TableStyle, Width, presets::NOTHING,
};
use domain::text::printable;

/// Least width to which a column of text is wrapped.
const TEXT_MIN_WIDTH: usize = 24;
/// Width that shells export for programs that do not write to the terminal themselves.
const WIDTH_VARIABLE: &str = "COLUMNS";
/// Blanks between columns, and what they are reduced to where the table is too wide.
const GAPS: [usize; 2] = [2, 1];

/// A table whose cells show foreign texts.
#[derive(Debug)]
pub(crate) struct Table {
    header: Vec<Cell>,
    rows: Vec<Vec<Cell>>,
    /// Columns that may be wrapped.
    text: Vec<usize>,
    /// Columns that may be left out, the first one first.
    optional: Vec<usize>,
}

/// A cell of a table: the text is on one line and printable.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    alignment: CellAlignment,
}

impl Cell {
    pub(crate) fn new(value: impl ToString) -> Self {
        let text = printable(&value.to_string(), usize::MAX).into_owned();
        Self { text, alignment: CellAlignment::Left }
    }
}

impl<T: ToString> From<T> for Cell {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

pub(crate) fn right_aligned(value: impl ToString) -> Cell {
    Cell { alignment: CellAlignment::Right, ..Cell::new(value) }
}

pub(crate) fn table<const N: usize>(header: [&str; N]) -> Table {
    let header = header.into_iter().map(Cell::new).collect();
    Table { header, rows: Vec::new(), text: Vec::new(), optional: Vec::new() }
}

/// How a table is printed in a given width.
#[derive(Debug, PartialEq, Eq)]
enum Layout {
    /// The columns that are shown, each with its width.
    Columns { shown: Vec<(usize, usize)>, gap: usize },
    /// Each row as a list of its fields.
    Records,
}

impl Table {
    /// Names the columns that may be wrapped.
    pub(crate) fn text<const N: usize>(mut self, columns: [&str; N]) -> Self {
        self.text = columns.map(|name| self.index_of(name)).into();
        self
    }

    /// Names the columns that may be left out, the one that is missed least first.
    pub(crate) fn optional<const N: usize>(mut self, columns: [&str; N]) -> Self {
        self.optional = columns.map(|name| self.index_of(name)).into();
        self
    }

    fn index_of(&self, name: &str) -> usize {
        self.header.iter().position(|it| it.text == name).expect("the name stands in the header")
    }

    pub(crate) fn add_row<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        let row: Vec<Cell> = cells.into_iter().map(Into::into).collect();
        debug_assert_eq!(row.len(), self.header.len(), "a cell for each column");
        self.rows.push(row);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn print(&self) {
        let width = terminal_width();
        let layout = self.layout(width);
        terminal::print_line(self.render(&layout, width));
        if let Layout::Columns { shown, .. } = layout
            && shown.len() < self.header.len()
        {
            let hidden = (0..self.header.len()).filter(|index| !shown.iter().any(|(it, _)| it == index));
            let names: Vec<&str> = hidden.map(|index| self.header[index].text.as_str()).collect();
            terminal::report(format_args!("too narrow for: {} (--output json has all)", names.join(", ")));
        }
    }

    fn layout(&self, width: Option<usize>) -> Layout {
        let natural: Vec<usize> = (0..self.header.len()).map(|index| self.content_width(index)).collect();
        let mut shown: Vec<usize> = (0..natural.len()).collect();
        let Some(width) = width else {
            return Layout::Columns {
                shown: shown.into_iter().map(|it| (it, natural[it])).collect(),
                gap: GAPS[0],
            };
        };
        let fit = |shown: &[usize]| {
            GAPS.into_iter().find_map(|gap| {
                let shown = self.fitted(&natural, shown, width, gap)?;
                Some(Layout::Columns { shown, gap })
            })
        };
        let mut left_out = Vec::new();
        let mut optional = self.optional.iter();
        let mut layout = loop {
            if let Some(layout) = fit(&shown) {
                break layout;
            }
            let Some(next) = optional.next() else { return Layout::Records };
            shown.retain(|it| it != next);
            left_out.push(*next);
        };
        // A narrow column may fit in the place of a wide one that was left out after it.
        for back in left_out.into_iter().rev() {
            let mut more = shown.clone();
            more.push(back);
            more.sort_unstable();
            if let Some(wider) = fit(&more) {
                (layout, shown) = (wider, more);
            }
        }
        layout
    }

    /// The columns with widths that fit, if there are such.
    fn fitted(
        &self,
        natural: &[usize],
        shown: &[usize],
        width: usize,
        gap: usize,
    ) -> Option<Vec<(usize, usize)>> {
        let is_wrapped = |it: &usize| self.text.contains(it);
        let fixed: usize = shown.iter().filter(|it| !is_wrapped(it)).map(|it| natural[*it]).sum();
        let gaps = gap * shown.len().saturating_sub(1);
        let mut room = width.checked_sub(fixed + gaps)?;
        let mut wrapped: Vec<usize> = shown.iter().copied().filter(is_wrapped).collect();
        if wrapped.iter().map(|it| natural[*it].min(TEXT_MIN_WIDTH)).sum::<usize>() > room {
            return None;
        }
        // The shorter ones first: what they do not need is for the longer ones.
        wrapped.sort_by_key(|it| natural[*it]);
        let mut widths = natural.to_vec();
        for (done, it) in wrapped.iter().enumerate() {
            widths[*it] = natural[*it].min((room / (wrapped.len() - done)).max(1));
            room -= widths[*it];
        }
        Some(shown.iter().map(|it| (*it, widths[*it])).collect())
    }

    /// Columns that the widest content of the column takes on a terminal.
    fn content_width(&self, index: usize) -> usize {
        let mut column = comfy_table::Table::new();
        column.set_header([self.header[index].text.as_str()]);
        for row in &self.rows {
            column.add_row([row[index].text.as_str()]);
        }
        column.column_max_content_widths().first().copied().map_or(0, usize::from)
    }

    fn render(&self, layout: &Layout, width: Option<usize>) -> String {
        match layout {
            Layout::Columns { shown, gap } => {
                let pick = |row: &[Cell]| shown.iter().map(|(it, _)| row[*it].clone()).collect::<Vec<_>>();
                let rows: Vec<_> = self.rows.iter().map(|row| pick(row)).collect();
                let widths: Vec<usize> = shown.iter().map(|(_, width)| *width).collect();
                grid(Some(&pick(&self.header)), &rows, &widths, *gap)
            }
            Layout::Records => {
                let names = (0..self.header.len()).map(|it| self.header[it].text.chars().count());
                let name_width = names.max().unwrap_or(0);
                let rest = width.unwrap_or(usize::MAX).saturating_sub(name_width + GAPS[0]).max(1);
                // What is no text is not cut, even if its line is too long then.
                let uncut = (0..self.header.len()).filter(|it| !self.text.contains(it));
                let rest = rest.max(uncut.map(|it| self.content_width(it)).max().unwrap_or(0));
                let records = self.rows.iter().map(|row| {
                    let fields: Vec<_> = self
                        .header
                        .iter()
                        .zip(row)
                        .map(|(name, cell)| vec![name.clone(), Cell::new(&cell.text)])
                        .collect();
                    grid(None, &fields, &[name_width, rest], GAPS[0])
                });
                records.collect::<Vec<_>>().join("\n\n")
            }
        }
    }
}

/// Columns beside each other, with a line under the header.
fn grid(header: Option<&[Cell]>, rows: &[Vec<Cell>], widths: &[usize], gap: usize) -> String {
    const STYLE: TableStyle = NOTHING.header_separator(LineStyle::none().fill('─'));

    let mut table = comfy_table::Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic).force_no_tty();
    let cells = |row: &[Cell]| {
        let cell = |it: &Cell| comfy_table::Cell::new(&it.text).set_alignment(it.alignment);
        row.iter().map(cell).collect::<Vec<_>>()
    };
    if let Some(header) = header {
        table.set_header(cells(header));
    }
    for row in rows {
        table.add_row(cells(row));
    }
    // Constraints count only where there is a width; this one is never too small.
    table.set_width(u16::MAX);
    for (index, width) in widths.iter().enumerate() {
        let padding = if index + 1 < widths.len() { gap } else { 0 };
        let is_right = rows.first().is_some_and(|row| row[index].alignment == CellAlignment::Right);
        let Some(column) = table.column_mut(index) else { continue };
        let fixed = |width: usize| u16::try_from(width).unwrap_or(u16::MAX);
        column.set_padding((0, fixed(padding)));
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(fixed(*width + padding))));
        if is_right {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// Columns of the terminal: `COLUMNS` where it is exported, otherwise what the terminal says. None where there is no
/// terminal: programs read whole lines.
fn terminal_width() -> Option<usize> {
    let exported = std::env::var(WIDTH_VARIABLE).ok().and_then(|text| text.parse::<usize>().ok());
    exported.filter(|width| *width > 0).or_else(|| comfy_table::Table::new().width().map(usize::from))
}

#[cfg(test)]
mod tests {
    use domain::text::is_unsafe_to_print;

    use super::*;

    const ID: &str = "019ab2c4-0000-7000-8000-000000000001";

    fn dead_letters() -> Table {
        let mut table =
            table(["dead letter", "queue", "reason", "by"]).text(["reason"]).optional(["by", "queue"]);
        table.add_row([
            ID,
            "sync.tasks",
            "the onboarding portal answered 503 to every one of 4 attempts",
            "anna",
        ]);
        table
    }

    fn printed(width: usize) -> String {
        let table = dead_letters();
        table.render(&table.layout(Some(width)), Some(width))
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_ids_stay_whole() {
        for width in 30..140 {
            let text = printed(width);
            let fits = width >= "dead letter  ".len() + ID.len();
            assert!(!fits || text.lines().all(|line| line.chars().count() <= width), "{width}:\n{text}");
            assert!(text.contains(ID), "{width}:\n{text}");
        }
    }

    #[test]
    fn text_is_wrapped_before_columns_are_left_out_and_rows_become_records_last() {
        let columns = |width| match dead_letters().layout(Some(width)) {
            Layout::Columns { shown, .. } => shown.iter().map(|(it, _)| *it).collect(),
            Layout::Records => Vec::new(),
        };
        assert_eq!(columns(130), [0, 1, 2, 3]);
        assert_eq!(columns(84), [0, 1, 2, 3], "wrapped");
        assert_eq!(columns(68), [0, 2, 3], "without queue: by fits in its place");
        assert_eq!(columns(64), [0, 2], "without both");
        assert_eq!(columns(50), [0_usize; 0], "as records");
    }

    #[test]
    fn table_without_a_terminal_has_one_line_for_each_row() {
        let table = dead_letters();
        assert_eq!(table.render(&table.layout(None), None).lines().count(), 3);
    }

    #[test]
    fn numbers_stand_under_the_right_end_of_their_header() {
        let mut table = table(["records", "read"]);
        table.add_row([Cell::new("vessels"), right_aligned(7)]);
        assert_eq!(table.render(&table.layout(None), None), "records  read\n─────────────\nvessels     7");
    }

    #[test]
    fn cell_of_a_foreign_text_is_one_line_of_visible_characters() {
        let hostile = "a\u{1b}[2J\r\nb\u{9b}31m\u{202e}c\u{7f}";
        let mut table = table(["x"]);
        table.add_row([hostile]);
        table.add_row([right_aligned(hostile)]);
        for layout in [table.layout(None), Layout::Records] {
            let printed = table.render(&layout, None);
            assert!(printed.chars().all(|c| c == '\n' || !is_unsafe_to_print(c)), "{printed:?}");
            assert_eq!(printed.matches(r"a\u{1b}[2J  b\u{9b}31m\u{202e}c\u{7f}").count(), 2, "{printed}");
        }
    }
}
