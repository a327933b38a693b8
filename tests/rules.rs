//! The typed rules are the seed's: for every list of levels that a session can hold, in every mode, nested and not,
//! and for every level, the bounds of the verbs hold exactly where the seed's assertions do.

use lockladder::ganeti::seed::{Cluster, Instance, Node};
use lockladder::{
    CanAcquire, CanAdd, Downgrade, Exclusive, Held, Holds, HoldsExclusive, LockMode, Modifiable, NotRoot, Release,
    Shared, Top, held,
};

/// The assertions of the seed's manager and sets, transcribed; levels are numbers, as there.
///
/// What the seed does not know has a name of its own: nested sessions (`here`), `downgrade` (its successors had it),
/// and that the root cannot be released at all ([`root_is_kept`](Self::root_is_kept)).
#[derive(Clone, Copy, Debug)]
struct Model {
    owned: [Option<LockMode>; 3],
    /// Acquired by this session, not by one around it.
    here: [bool; 3],
}

impl Model {
    const MODIFIABLE: [bool; 3] = [false, true, true];

    fn is_owned(self, level: usize) -> bool {
        self.owned[level].is_some()
    }

    fn is_exclusive(self, level: usize) -> bool {
        self.owned[level] == Some(LockMode::Exclusive)
    }

    fn upper_owned(self, level: usize) -> bool {
        (level + 1..3).any(|upper| self.is_owned(upper))
    }

    fn root_owned(self) -> bool {
        self.is_owned(0)
    }

    fn acquire(self, level: usize) -> bool {
        (level == 0 || self.root_owned()) && !self.upper_owned(level) && !self.is_owned(level)
    }

    fn release(self, level: usize) -> bool {
        self.is_owned(level) && !Self::root_is_kept(level) && self.here[level]
    }

    /// The seed releases the root once nothing else is owned; here, dropping the session does.
    fn root_is_kept(level: usize) -> bool {
        level == 0
    }

    fn add(self, level: usize) -> bool {
        Self::MODIFIABLE[level] && self.root_owned() && !self.upper_owned(level) && !self.is_owned(level)
    }

    /// That the set is owned as a whole is known at run time only.
    fn add_held(self, level: usize) -> bool {
        Self::MODIFIABLE[level] && self.root_owned() && !self.upper_owned(level) && self.is_exclusive(level)
    }

    fn remove(self, level: usize) -> bool {
        Self::MODIFIABLE[level] && self.root_owned() && !self.upper_owned(level) && !self.is_owned(level)
    }

    /// That all the names are owned is known at run time only.
    fn remove_held(self, level: usize) -> bool {
        Self::MODIFIABLE[level] && self.root_owned() && self.is_exclusive(level) && self.here[level]
    }

    fn downgrade(self, level: usize) -> bool {
        self.is_exclusive(level) && self.here[level]
    }

    fn list_owned(self, level: usize) -> bool {
        self.is_owned(level) && !Self::root_has_no_names(level)
    }

    fn root_has_no_names(level: usize) -> bool {
        level == 0
    }
}

/// Whether a type satisfies bounds: the inherent constant hides that of the trait where they hold.
macro_rules! does {
    ($type:ty: $($bound:tt)+) => {{
        #[allow(dead_code)]
        trait Otherwise {
            const HOLDS: bool = false;
        }
        impl<T: ?Sized> Otherwise for T {}
        #[allow(dead_code)]
        struct If<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code)]
        impl<T: ?Sized + $($bound)+> If<T> {
            const HOLDS: bool = true;
        }
        <If<$type>>::HOLDS
    }};
}

macro_rules! mode {
    () => {
        None
    };
    (shared) => {
        Some(LockMode::Shared)
    };
    (exclusive) => {
        Some(LockMode::Exclusive)
    };
}

macro_rules! mode_type {
    (shared) => {
        Shared
    };
    (exclusive) => {
        Exclusive
    };
}

/// Compares one list with the model, at each level.
macro_rules! compare {
    ($count:ident, $list:ty, $model:expr) => {
        compare!(@ $count, $list, $model, 0, Cluster);
        compare!(@ $count, $list, $model, 1, Instance);
        compare!(@ $count, $list, $model, 2, Node);
    };
    (@ $count:ident, $list:ty, $model:expr, $index:literal, $level:ty) => {{
        let model: Model = $model;
        let (named, modifiable) = (does!($level: NotRoot), does!($level: Modifiable));
        let typed = [
            ("acquire", named && does!($list: CanAcquire<$level>)),
            ("release", named && does!($list: Release<$level>)),
            ("add", modifiable && does!($list: CanAdd<$level>)),
            ("add_held", modifiable && does!($list: Top<$level> + HoldsExclusive<$level>)),
            ("remove", modifiable && does!($list: CanAdd<$level>)),
            ("remove_held", modifiable && does!($list: Release<$level> + HoldsExclusive<$level>)),
            ("downgrade", does!($list: Downgrade<$level>)),
            ("owned", named && does!($list: Holds<$level>)),
        ];
        let seed = [
            ("acquire", model.acquire($index)),
            ("release", model.release($index)),
            ("add", model.add($index)),
            ("add_held", model.add_held($index)),
            ("remove", model.remove($index)),
            ("remove_held", model.remove_held($index)),
            ("downgrade", model.downgrade($index)),
            ("owned", model.list_owned($index)),
        ];
        assert_eq!(typed, seed, "level {} of {}", stringify!($level), std::any::type_name::<$list>());
        $count += typed.len();
    }};
}

/// One list, and every way to cut it into an outer session and a nested one.
macro_rules! lists {
    ($count:ident: $root:tt $instance:tt $node:tt) => {
        lists!(@own $count $root $instance $node);
        lists!(@node_nested $count $root $instance $node);
        lists!(@instance_nested $count $root $instance $node);
    };
    (@own $count:ident [$root:ident] [$($instance:ident Instance)?] [$($node:ident Node)?]) => {{
        type List = held![$root Cluster $(, $instance Instance)? $(, $node Node)?];
        let owned = [mode!($root), mode!($($instance)?), mode!($($node)?)];
        compare!($count, List, Model { owned, here: [true; 3] });
        compare!($count, &mut List, Model { owned, here: [false; 3] });
    }};
    (@node_nested $count:ident $root:tt $instance:tt []) => {};
    (@node_nested $count:ident [$root:ident] [$($instance:ident Instance)?] [$node:ident Node]) => {{
        type List = Held<Node, mode_type!($node), &'static mut held![$root Cluster $(, $instance Instance)?]>;
        let owned = [mode!($root), mode!($($instance)?), mode!($node)];
        compare!($count, List, Model { owned, here: [false, false, true] });
    }};
    (@instance_nested $count:ident $root:tt [] $node:tt) => {};
    (@instance_nested $count:ident [$root:ident] [$instance:ident Instance] []) => {{
        type List = Held<Instance, mode_type!($instance), &'static mut held![$root Cluster]>;
        let owned = [mode!($root), mode!($instance), None];
        compare!($count, List, Model { owned, here: [false, true, false] });
    }};
    (@instance_nested $count:ident [$root:ident] [$instance:ident Instance] [$node:ident Node]) => {{
        type Below = Held<Instance, mode_type!($instance), &'static mut held![$root Cluster]>;
        type List = Held<Node, mode_type!($node), Below>;
        let owned = [mode!($root), mode!($instance), mode!($node)];
        compare!($count, List, Model { owned, here: [false, true, true] });
    }};
}

macro_rules! with_nodes {
    ($count:ident: $root:tt $instance:tt) => {
        lists!($count: $root $instance []);
        lists!($count: $root $instance [shared Node]);
        lists!($count: $root $instance [exclusive Node]);
    };
}

macro_rules! with_instances {
    ($count:ident: $root:tt) => {
        with_nodes!($count: $root []);
        with_nodes!($count: $root [shared Instance]);
        with_nodes!($count: $root [exclusive Instance]);
    };
}

#[test]
fn the_typed_rules_are_the_seeds_in_every_state() {
    let mut count = 0;
    with_instances!(count: [shared]);
    with_instances!(count: [exclusive]);
    println!("{count} combinations of state, level and operation agree");
    assert_eq!(count, 60 * 3 * 8, "lists × levels × operations");
}
