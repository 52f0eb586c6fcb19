//! Matrices of affine transformations and rotations in 0.6.

use serde_json::{Map, Value};

use super::transformation::TRANSFORMATIONS;
use super::{Need, Report};

impl Report {
    /// A matrix of so many rows and columns, where they are known; a rotation's is square.
    pub(super) fn matrix(
        &mut self,
        at: &str,
        object: &Map<String, Value>,
        name: &str,
        rows: Option<usize>,
        columns: Option<usize>,
    ) {
        if object.contains_key("path") && !object.contains_key(name) {
            self.string(at, object, "path", Need::Must(TRANSFORMATIONS));
            return;
        }
        let matrix = self.member(
            at,
            object,
            name,
            Need::Must(TRANSFORMATIONS),
            "an array of rows of numbers",
            |value| {
                let row = |row: &Value| {
                    let row = row.as_array()?;
                    row.iter().all(Value::is_number).then_some(row.len())
                };
                value.as_array()?.iter().map(row).collect::<Option<Vec<usize>>>()
            },
        );
        let Some(lengths) = matrix else { return };
        let rows = rows.unwrap_or(lengths.len());
        let square = name == "rotation";
        let columns = columns.or(square.then_some(rows)).or(lengths.first().copied()).unwrap_or(0);
        if lengths.len() != rows || lengths.iter().any(|&length| length != columns) {
            let message = format!("{} rows, expected {rows} of {columns} numbers", lengths.len());
            self.must(&format!("{at}/{name}"), TRANSFORMATIONS, message);
        }
    }

    /// Rows of length one at right angles, and no mirroring.
    pub(super) fn rotation(&mut self, at: &str, object: &Map<String, Value>) {
        /// Writers round to six digits.
        const TOLERANCE: f64 = 1e-4;
        let rows = object.get("rotation").and_then(Value::as_array).into_iter().flatten();
        let rows = rows.map(|row| row.as_array()?.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>());
        let Some(rows) = rows.collect::<Option<Vec<Vec<f64>>>>() else { return };
        if rows.is_empty() || rows.len() > 5 || rows.iter().any(|row| row.len() != rows.len()) {
            return;
        }
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let orthonormal = rows.iter().enumerate().all(|(i, a)| {
            let expected = |j: usize| if i == j { 1.0 } else { 0.0 };
            rows.iter().enumerate().all(|(j, b)| (dot(a, b) - expected(j)).abs() < TOLERANCE)
        });
        if !orthonormal || determinant(rows) < 0.0 {
            let message = "no rotation, expected orthonormal rows and determinant 1";
            self.must(&format!("{at}/rotation"), TRANSFORMATIONS, message.into());
        }
    }
}

/// Of a square matrix, by elimination.
fn determinant(mut rows: Vec<Vec<f64>>) -> f64 {
    let mut product = 1.0;
    for column in 0..rows.len() {
        let largest =
            (column..rows.len()).max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs()));
        let Some(pivot) = largest else { return 0.0 };
        if rows[pivot][column] == 0.0 {
            return 0.0;
        }
        if pivot != column {
            rows.swap(pivot, column);
            product = -product;
        }
        product *= rows[column][column];
        let head = rows[column].clone();
        for row in rows.iter_mut().skip(column + 1) {
            let factor = row[column] / head[column];
            for (value, head) in row.iter_mut().zip(&head).skip(column) {
                *value -= factor * head;
            }
        }
    }
    product
}
