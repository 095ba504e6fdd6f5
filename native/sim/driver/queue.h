// The queues: one a stream, run as late as the API allows (seed 0) or at random points and in a
// random interleaving that events allow (any other seed).
#pragma once

#include <memory>
#include <vector>

#include "sim/driver/state.h"

namespace sim {

// Puts work at the end of a stream's queue. `after`: items of other streams that come first.
std::shared_ptr<Item> enqueue(const std::shared_ptr<Stream>& stream,
                              std::shared_ptr<const Work> work,
                              std::vector<std::shared_ptr<Item>> after = {});
// A graph's nodes, as one item that fails when it runs, if so ordered.
void enqueue_graph(const std::shared_ptr<Stream>& stream, Exec& exec, bool fails);
// Counts a launch down for the orders of secateur_sim_fail: true when this one is to fail when it
// runs; refuses when the device is lost with it.
bool launch_fails();

// Runs until the item is done, counts nothing; the host knows of it afterwards.
void wait_for(const std::shared_ptr<Item>& item);
void wait_for_stream(const std::shared_ptr<Stream>& stream);
void wait_for_all();
// True when the item is done, which the host knows from then on; else runs a little of what it
// needs, so that who asks often enough sees it done.
bool poll(const std::shared_ptr<Item>& item);

// Sometimes runs some work of any stream; never with seed 0.
void run_by_chance();
// Drops all that is queued, as a broken context does.
void drop_queues();
// Lets go of destroyed streams without work.
void forget_finished_streams();

}  // namespace sim
