//! A third reading of the identity, beside values and targets: what would be computed is written
//! down, as a graph.
//!
//! The graph has one operation of arithmetic, `x * y + z`, and a division that is used once. Equal
//! operations are one node, and what constants alone give is a constant.

use std::collections::HashMap;

use plonky2::field::types::{Field as _, PrimeField64 as _};

use crate::plonk::PlonkField;
use crate::plonk::transcript::Pair;
use crate::plonk::vanishing::Algebra;

/// A value of the graph; by default the first input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Node(usize);

/// What gives a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    /// The input of this number.
    Input(usize),
    /// A canonical element of the base field.
    Constant(u64),
    /// `x * y + z`.
    MulAdd([Node; 3]),
    /// `x / y`.
    Div([Node; 2]),
}

impl Operation {
    /// The values that it is made of.
    pub fn operands(&self) -> &[Node] {
        match self {
            Self::Input(_) | Self::Constant(_) => &[],
            Self::MulAdd(operands) => operands,
            Self::Div(operands) => operands,
        }
    }
}

/// A graph in the making.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    operations: Vec<Operation>,
    /// Whether a value is known to lie in the base field.
    base: Vec<bool>,
    known: HashMap<Operation, Node>,
    inputs: usize,
}

impl Recorder {
    /// Adds an input; in the base field, if `base` says so.
    pub fn input(&mut self, base: bool) -> Node {
        let operation = Operation::Input(self.inputs);
        self.inputs += 1;
        self.node(operation, base)
    }

    pub fn input_count(&self) -> usize {
        self.inputs
    }

    /// All operations: each stands after what it is made of.
    pub fn operations(&self) -> impl DoubleEndedIterator<Item = (Node, &Operation)> {
        let operations = self.operations.iter().enumerate();
        operations.map(|(i, operation)| (Node(i), operation))
    }

    pub fn operation(&self, node: Node) -> &Operation {
        &self.operations[node.0]
    }

    pub fn is_base(&self, node: Node) -> bool {
        self.base[node.0]
    }

    fn node(&mut self, operation: Operation, base: bool) -> Node {
        *self.known.entry(operation).or_insert_with(|| {
            self.operations.push(operation);
            self.base.push(base);
            Node(self.operations.len() - 1)
        })
    }

    fn value(&self, node: Node) -> Option<PlonkField> {
        match *self.operation(node) {
            Operation::Constant(value) => Some(PlonkField::from_canonical_u64(value)),
            _ => None,
        }
    }

    /// `x - y`.
    fn sub(&mut self, x: Node, y: Node) -> Node {
        let minus_one = self.constant(PlonkField::NEG_ONE);
        self.mul_add(minus_one, y, x)
    }
}

// Arithmetic in a field has no overflow.
#[allow(clippy::arithmetic_side_effects)]
impl Algebra for Recorder {
    type Word = Node;
    type Element = Node;

    fn constant(&mut self, value: PlonkField) -> Node {
        self.node(Operation::Constant(value.to_canonical_u64()), true)
    }

    fn lift(&mut self, word: Node) -> Node {
        word
    }

    /// The input [`ROOT`](super::inputs) is X, of which an element is a polynomial.
    fn pair(&mut self, [low, high]: Pair<Node>) -> Node {
        let root = Node(super::inputs::ROOT);
        self.mul_add(high, root, low)
    }

    fn add(&mut self, x: Node, y: Node) -> Node {
        let one = self.constant(PlonkField::ONE);
        self.mul_add(one, x.min(y), x.max(y))
    }

    fn mul(&mut self, x: Node, y: Node) -> Node {
        let zero = self.constant(PlonkField::ZERO);
        self.mul_add(x, y, zero)
    }

    fn mul_add(&mut self, x: Node, y: Node, z: Node) -> Node {
        let (zero, one) = (Some(PlonkField::ZERO), Some(PlonkField::ONE));
        let values = [x, y, z].map(|node| self.value(node));
        match values {
            [Some(x), Some(y), Some(z)] => return self.constant(x * y + z),
            [vx, vy, _] if vx == zero || vy == zero => return z,
            [vx, _, vz] if vx == one && vz == zero => return y,
            [_, vy, vz] if vy == one && vz == zero => return x,
            _ => {}
        }
        // A factor in the base field comes first; else the older one.
        let key = |node| (!self.is_base(node), node);
        let [x, y] = if key(y) < key(x) { [y, x] } else { [x, y] };
        let base = [x, y, z].iter().all(|&node| self.is_base(node));
        self.node(Operation::MulAdd([x, y, z]), base)
    }

    fn mul_sub(&mut self, x: Node, y: Node, z: Node) -> Node {
        let product = self.mul(x, y);
        self.sub(product, z)
    }

    fn div(&mut self, x: Node, y: Node) -> Node {
        self.node(Operation::Div([x, y]), false)
    }

    fn reduce(&mut self, base: Node, terms: &[Node]) -> Node {
        let zero = self.constant(PlonkField::ZERO);
        let terms = terms.iter().rev();
        terms.fold(zero, |sum, &term| self.mul_add(sum, base, term))
    }
}
