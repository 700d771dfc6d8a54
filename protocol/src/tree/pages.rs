//! All pages of a tree, in a radix tree: each has the pages below it as children.

use super::page::{FLOORS, PAGE_LEVELS, Page, PageId};
use crate::record::Index;

/// A page of some floor and all pages below it.
#[derive(Clone, Debug)]
pub(super) struct Pages {
    page: Box<Page>,
    /// By node of the page's lowest level; `None` where nothing is stored below.
    below: Option<Box<[Option<Pages>; 16]>>,
}

/// A page on the path of a changed leaf.
pub(super) struct Touched<'a> {
    pub page: &'a mut Page,
    /// Bit k: node k of the page's lowest level is on the path of a changed leaf.
    pub mask: u16,
}

/// Pages of one floor, and the indices of the changed leaves below each.
type Floor<'a, 'i> = Vec<(&'a mut Pages, &'i [Index])>;

impl Pages {
    /// Returns the uppermost page of a tree without records.
    pub fn new() -> Self {
        Self::empty(FLOORS - 1)
    }

    fn empty(floor: usize) -> Self {
        Self {
            page: Box::new(Page::empty(floor).clone()),
            below: None,
        }
    }

    pub const fn page(&self) -> &Page {
        &self.page
    }

    /// Returns the page of this name, the uppermost one included; `None` if nothing is stored
    /// there.
    pub fn get(&self, id: PageId) -> Option<&Page> {
        let mut pages = self;
        for floor in (id.floor() as usize..FLOORS - 1).rev() {
            let place = (id.index() >> (PAGE_LEVELS * (floor - id.floor() as usize))) % 16;
            pages = pages.below.as_ref()?[place as usize].as_ref()?;
        }
        Some(&pages.page)
    }

    /// Stores a page in the place of its name, with empty ones above it if there are none yet.
    pub fn insert(&mut self, id: PageId, page: Page) {
        let mut pages = self;
        for floor in (id.floor() as usize..FLOORS - 1).rev() {
            let place = (id.index() >> (PAGE_LEVELS * (floor - id.floor() as usize))) % 16;
            let below = &mut pages.below.get_or_insert_default()[place as usize];
            pages = below.get_or_insert_with(|| Self::empty(floor));
        }
        *pages.page = page;
    }

    /// Returns the pages on the paths from some leaves to the root, floor by floor from the lowest,
    /// by ascending index. Those that are missing are made.
    ///
    /// `indices` must be ascending without repetition.
    pub fn open(&mut self, indices: &[Index]) -> [Vec<Touched<'_>>; FLOORS] {
        let mut opened = [const { Vec::new() }; FLOORS];
        let mut upper: Floor = vec![(self, indices)];
        for floor in (1..FLOORS).rev() {
            let mut lower = Vec::new();
            for (pages, indices) in upper {
                let touched = pages.open_below(floor, indices, &mut lower);
                opened[floor].push(touched);
            }
            upper = lower;
        }
        opened[0] = upper
            .into_iter()
            .map(|(pages, indices)| Touched {
                page: &mut pages.page,
                mask: indices
                    .iter()
                    .fold(0, |mask, index| mask | 1 << (index % 16)),
            })
            .collect();
        opened
    }

    /// Lists the pages below this one, which is of a floor above 0, that hold some leaves.
    fn open_below<'a, 'i>(
        &'a mut self,
        floor: usize,
        indices: &'i [Index],
        lower: &mut Floor<'a, 'i>,
    ) -> Touched<'a> {
        let shift = PAGE_LEVELS * floor;
        let mut below = self.below.get_or_insert_default().iter_mut();
        let (mut mask, mut next) = (0, 0);
        for family in indices.chunk_by(|a, b| a >> shift == b >> shift) {
            let place = (family[0] >> shift) as usize % 16;
            // Families are ascending: this goes on from the place of the last one.
            if let Some(pages) = below.nth(place - next) {
                let pages = pages.get_or_insert_with(|| Self::empty(floor - 1));
                lower.push((pages, family));
            }
            mask |= 1 << place;
            next = place + 1;
        }
        Touched {
            page: &mut self.page,
            mask,
        }
    }

    /// Drops all pages, but for the uppermost one, below which everything has become empty.
    /// Only those on the paths of some leaves, by ascending index, are looked at.
    pub fn prune(&mut self, indices: &[Index]) {
        self.prune_from(FLOORS - 1, indices);
    }

    /// Tells whether this page, of this floor, can be dropped as well.
    fn prune_from(&mut self, floor: usize, indices: &[Index]) -> bool {
        let shift = PAGE_LEVELS * floor;
        if let Some(below) = &mut self.below {
            for family in indices.chunk_by(|a, b| a >> shift == b >> shift) {
                let child = &mut below[(family[0] >> shift) as usize % 16];
                child.take_if(|pages| pages.prune_from(floor - 1, family));
            }
            if below.iter().all(Option::is_none) {
                self.below = None;
            }
        }
        self.below.is_none() && *self.page == *Page::empty(floor)
    }

    /// Returns every stored page, but for the uppermost one if it is empty.
    pub fn list(&self) -> Vec<(PageId, &Page)> {
        let mut pages = Vec::new();
        if self.below.is_some() || *self.page != *Page::empty(FLOORS - 1) {
            self.list_from(FLOORS - 1, 0, &mut pages);
        }
        pages
    }

    fn list_from<'a>(&'a self, floor: usize, index: u32, out: &mut Vec<(PageId, &'a Page)>) {
        out.extend(PageId::new(floor as u8, index).map(|id| (id, &*self.page)));
        let below = self.below.iter().flat_map(|below| below.iter());
        for (child, place) in below.zip(0..) {
            if let Some(pages) = child {
                pages.list_from(floor - 1, index << PAGE_LEVELS | place, out);
            }
        }
    }
}
