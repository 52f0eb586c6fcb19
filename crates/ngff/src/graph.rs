//! Which coordinate systems transformations connect, whichever way they lead.

use std::collections::HashMap;

/// Coordinate systems and the transformations between them.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// Names in the order of their first mention.
    names: Vec<String>,
    numbers: HashMap<String, usize>,
    /// For each node another one of its part, nearer to the part's first.
    parents: Vec<usize>,
}

impl Graph {
    /// A coordinate system, new or known.
    pub(crate) fn node(&mut self, name: String) -> usize {
        let next = self.names.len();
        let number = *self.numbers.entry(name.clone()).or_insert(next);
        if number == next {
            self.names.push(name);
            self.parents.push(next);
        }
        number
    }

    /// A transformation between two coordinate systems.
    pub(crate) fn edge(&mut self, from: String, to: String) {
        let (from, to) = (self.node(from), self.node(to));
        let (from, to) = (self.first(from), self.first(to));
        self.parents[from.max(to)] = from.min(to);
    }

    /// A coordinate system that nothing connects with the first.
    pub(crate) fn unconnected(&self) -> Option<&str> {
        (0..self.names.len()).find(|&node| self.first(node) != 0).map(|node| self.names[node].as_str())
    }

    fn first(&self, mut node: usize) -> usize {
        while self.parents[node] != node {
            node = self.parents[node];
        }
        node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined_whichever_way_a_transformation_leads() {
        let mut graph = Graph::default();
        for name in ["a", "b", "c"] {
            graph.node(name.into());
        }
        assert_eq!(graph.unconnected(), Some("b"));
        graph.edge("c".into(), "b".into());
        assert_eq!(graph.unconnected(), Some("b"));
        graph.edge("c".into(), "a".into());
        assert_eq!(graph.unconnected(), None);
    }
}
