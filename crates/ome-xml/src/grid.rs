//! Where the planes of a table lie: on a grid of (T, C, Z), or of (Image, T, C, Z) where many Images share the table.

use crate::table::{ColumnData, IMAGE, Scope, Table};

/// The axes of a grid, slowest first: names of the dimensions, and the columns that hold the places.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axes {
    pub(crate) dimensions: &'static [&'static str],
    pub(crate) columns: &'static [&'static str],
}

impl Axes {
    pub(crate) fn of(scope: Scope) -> Self {
        // One Image's axes are the last three.
        let first = usize::from(scope != Scope::All);
        Self {
            dimensions: &["image", "t", "c", "z"][first..],
            columns: &[IMAGE, "TheT", "TheC", "TheZ"][first..],
        }
    }

    /// The orders in which rows may fill a grid: axes by their place in `dimensions`, fastest first. Images follow each
    /// other in a document.
    pub(crate) fn orders(self) -> impl Iterator<Item = Vec<usize>> {
        let images = self.dimensions.len() - 3;
        let (t, c, z) = (images, images + 1, images + 2);
        let inner = [[z, c, t], [z, t, c], [c, t, z], [c, z, t], [t, c, z], [t, z, c]];
        inner.into_iter().map(move |order| order.into_iter().chain(0..images).collect())
    }
}

/// Where rows lie on a grid.
pub(crate) struct Grid {
    pub(crate) axes: Axes,
    /// Lengths of the axes.
    pub(crate) sizes: Vec<u64>,
    /// Cell of each row, in C order.
    pub(crate) cells: Vec<usize>,
    /// Axes, fastest first, along which the rows follow each other, if they fill the grid that way.
    pub(crate) order: Option<Vec<usize>>,
}

impl Grid {
    /// The grid of a table, given T, C and Z of each Image. `None` where two rows would share a cell, one lies outside,
    /// or Images that share the table differ in size.
    pub(crate) fn of(table: &Table, sizes: impl Fn(usize) -> [u64; 3]) -> Option<Self> {
        let axes = Axes::of(table.scope);
        let places: Vec<&[i64]> = axes
            .columns
            .iter()
            .map(|name| match table.column(name).map(|column| &column.data) {
                Some(ColumnData::Integers(values)) => Some(values.as_slice()),
                _ => None,
            })
            .collect::<Option<_>>()?;
        let sizes = match table.scope {
            Scope::One { image, .. } => sizes(image).to_vec(),
            Scope::All => {
                let images = usize::try_from(places[0].iter().max()? + 1).ok()?;
                let common = sizes(0);
                if (1..images).any(|image| sizes(image) != common) {
                    return None;
                }
                [&[images as u64][..], &common].concat()
            }
        };
        let count = sizes.iter().try_fold(1_u64, |n, size| n.checked_mul(*size)).filter(|n| *n > 0)?;
        // A grid much larger than its rows would cost more than it helps.
        if count > 64 * (table.rows as u64 + 64) {
            return None;
        }
        let mut taken = vec![false; count as usize];
        let mut cells = Vec::with_capacity(table.rows);
        for row in 0..table.rows {
            let mut cell = 0;
            for (place, size) in places.iter().zip(&sizes) {
                let at = u64::try_from(*place.get(row)?).ok().filter(|at| at < size)?;
                cell = cell * size + at;
            }
            if std::mem::replace(&mut taken[cell as usize], true) {
                return None;
            }
            cells.push(cell as usize);
        }
        let order = axes.orders().find(|order| {
            cells.len() == count as usize
                && cells.iter().enumerate().all(|(row, cell)| cell_of(row, order, &sizes) == *cell)
        });
        Some(Self { axes, sizes, cells, order })
    }
}

/// The cell of a row when rows fill the grid along `order`, fastest axis first.
pub(crate) fn cell_of(row: usize, order: &[usize], sizes: &[u64]) -> usize {
    let mut index = vec![0; sizes.len()];
    let mut rest = row;
    for axis in order {
        let size = sizes[*axis] as usize;
        index[*axis] = rest % size;
        rest /= size;
    }
    index.iter().zip(sizes).fold(0, |cell, (at, size)| cell * *size as usize + at)
}
