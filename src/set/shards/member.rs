//! One named lock, as the queue sees it. Each change is made with its shard locked.

use super::shard::MemberRef;
use crate::mode::LockMode;
use crate::set::queue::{Id, Member, Tally};

impl<K, T> Member for MemberRef<K, T> {
    #[inline]
    fn id(&self) -> Id {
        // Hashes first: so a guard finds a name among its members, and shards are locked in order.
        (self.slot().tag, self.as_ptr().addr())
    }

    fn has_room(&self, mode: LockMode) -> bool {
        self.look().has_room(mode)
    }

    fn held(&self) -> Option<LockMode> {
        self.look().mode()
    }

    fn holds(&self) -> Tally {
        let state = self.look();
        Tally { exclusive: usize::from(state.is_exclusive()), shared: state.sharers() as u64 }
    }

    fn hold(&self, mode: LockMode) {
        let mut room = self.home().lock();
        if mode == LockMode::Shared && self.look().is_full() {
            // A guard of the whole is turned into one of names, which cannot fail. So this aborts, as `Arc` does: only
            // code that forgets guards by the hundred million, on 32 bits, gets here. One more sharer would count as
            // none, and an exclusive request would be granted.
            std::process::abort();
        }
        room.hold(*self, mode);
    }

    fn try_hold(&self, mode: LockMode) -> bool {
        let mut room = self.home().lock();
        let has_room = self.look().has_room(mode);
        if has_room {
            room.hold(*self, mode);
        }
        has_room
    }

    fn release(&self, mode: LockMode) -> bool {
        let left = self.home().lock().release(*self, mode);
        left.sharers() == 0 || left.made_room()
    }

    fn downgrade(&self) {
        self.home().lock().downgrade(*self);
    }

    fn delete(&self, held: Option<LockMode>) {
        self.home().lock().delete(*self, held);
    }

    fn want(&self) {
        let _room = self.home().lock();
        self.slot().set_state(self.look().queued(true));
    }

    fn unwant(&self) {
        let _room = self.home().lock();
        self.slot().set_state(self.look().queued(false));
    }

    fn pin(&self) {
        self.home().lock().pin(*self);
    }
}
