// Stores a part of the table of segments in the workspace of a selection, and what follows from it
// for their groups.
//
// One block of 64 threads, a thread a segment. `count` segments from number `first` on; the group
// of the one before and of the one after (-1: none). The table comes by value, so nothing of host
// memory is read once the launch call has returned: 56 bytes a segment, read and written. Groups
// are zero before. See common/select.h.
#include "common/kernel.h"
#include "common/select.h"

using namespace secateur::common;

SECATEUR_KERNEL(kTableSegments)
secateur_select_table(Select s, SelectTable table, int32_t first, int32_t count,
                      int32_t group_before, int32_t group_after) {
  const int i = static_cast<int>(threadIdx.x);
  if (i >= count) return;
  const SelectSegment segment = table.segments[i];
  s.segments[first + i] = segment;
  SelectGroup& group = s.groups[segment.group];
  const int before = i == 0 ? group_before : table.segments[i - 1].group;
  const int after = i == count - 1 ? group_after : table.segments[i + 1].group;
  if (before != segment.group) {
    group.first_segment = first + i;
    group.first_tile = segment.first_tile;
    group.list_start = segment.list_start;
  }
  if (after == segment.group) return;
  group.elements = segment.first_element + segment.length;
  group.end_tile = segment.first_tile + tiles_of(segment.length);
  group.end_segment = first + i + 1;
}
SECATEUR_REGISTER(secateur_select_table);
