"""Groups cut anywhere and brought in any order, as no sound agent does: nothing is lost, doubled or posted half."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.agent_stream import AgentStream
from tests.held_desk import HeldDesk
from tests.postgres.conftest import NewStore
from tests.till_events import ITEM, sale

_SIZES = st.lists(st.integers(1, 3), min_size=1, max_size=4)


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(sizes=_SIZES, data=st.data())
def test_groups_that_are_cut_and_shuffled_end_whole(
    new_store: NewStore, sizes: list[int], data: st.DataObject
) -> None:
    store = new_store()
    store.open_with({ITEM: ("100", "4.00")})
    stream = AgentStream()
    groups = [stream.group(*[sale(1, saleId=f"S-{number}")] * size) for number, size in enumerate(sizes)]
    events = [event for group in groups for event in group]
    order = data.draw(st.permutations(range(len(events))))
    while order:
        count = data.draw(st.integers(1, len(order)))
        batch = sorted(order[:count])
        store.post(*[events[index] for index in batch], stream=stream)
        order = order[count:]
    journals = "SELECT count(*) FROM pos_sale WHERE store_no = %(store_no)s"
    posted = store.rows("SELECT sale_id, count(*) FROM pos_event WHERE store_no = %(store_no)s GROUP BY 1")
    assert all(count == sizes[int(sale_id[2:])] for sale_id, count in posted), "none is posted half"
    desk = HeldDesk(store)
    while held := desk.numbers():
        desk.release(held[-1])
    assert store.stock() == (str(100 - len(events)), str(4 * (100 - len(events))))
    assert store.count(journals) == len(sizes), "each with one journal"
    assert store.post(*events, stream=stream).duplicates == len(events)
    assert store.findings() == {}
    store.check()
