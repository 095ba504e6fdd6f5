// Y = X W^T + bias for an N:M weight W: groups of strips times panels of activations, or, for a
// batch of a few rows, times the rows as they are. A group and panel at a time on the pool; every
// sum runs in the order of the inputs, whatever the number of threads.
#include "sparse/nm.h"

#include <cstring>

#include "kernels.h"
#include "pool.h"
#include "sparse/panels.h"

namespace secateur {
namespace {

bool is_few(const NmHeader& header, int64_t batch) {
  const NmKernels& loops = nm_kernels();
  return batch <= (header.window > 16 ? loops.most_wide : loops.most_narrow);
}

int64_t groups(const NmHeader& header) {
  return (header.strips + header.strips_a_group - 1) / header.strips_a_group;
}

// Strips begin .. end of a group, and how many outputs they have.
struct Range {
  int64_t begin, end, outputs;
};

Range range(const NmHeader& header, int64_t group) {
  Range r;
  r.begin = group * header.strips_a_group;
  r.end = r.begin + header.strips_a_group < header.strips ? r.begin + header.strips_a_group
                                                          : header.strips;
  const int64_t last = r.end * kNmStrip < header.packed.out ? r.end * kNmStrip : header.packed.out;
  r.outputs = last - r.begin * kNmStrip;
  return r;
}

size_t workspace(const void* packed, int64_t batch) {
  const NmHeader& header = *view_nm(packed).header;
  if (is_few(header, batch)) return 0;
  const Panels panels = make_panels(batch, header.packed.in);
  return static_cast<size_t>(panels.count * panels.elements()) * sizeof(float);
}

void multiply_few(const NmView& packed, const SparseProduct& product) {
  const NmHeader& header = *packed.header;
  const int64_t out = header.packed.out;
  const secateur_epilogue& epilogue = product.epilogue;
  const auto run = nm_kernels().few;
  parallel_for(groups(header), [&](int64_t group) {
    const Range r = range(header, group);
    const int64_t first = r.begin * kNmStrip;
    for (int64_t done = 0; done < product.batch; done += kNmFew) {
      const int64_t batch = product.batch - done < kNmFew ? product.batch - done : kNmFew;
      alignas(64) float sums[kNmFew * kNmGroup];
      for (int64_t strip = r.begin; strip < r.end; ++strip) {
        run(packed, strip, batch, product.x + done * header.packed.in,
            sums + (strip - r.begin) * kNmStrip, kNmGroup);
      }
      for (int64_t b = 0; b < batch; ++b) {
        float* const y = product.y + (done + b) * out + first;
        const float* const sum = sums + b * kNmGroup;
        if (epilogue.bias == nullptr) {
          std::memcpy(y, sum, static_cast<size_t>(r.outputs) * sizeof(float));
        } else {
          for (int64_t i = 0; i < r.outputs; ++i) y[i] = sum[i] + epilogue.bias[first + i];
        }
        if (epilogue.activation != SECATEUR_IDENTITY) {
          kernels().unary(epilogue.activation, epilogue.alpha, r.outputs, y, y);
        }
      }
    }
  });
}

void multiply_panels(const NmView& packed, const SparseProduct& product) {
  const NmHeader& header = *packed.header;
  const int64_t out = header.packed.out, count = groups(header);
  const Panels panels = make_panels(product.batch, header.packed.in);
  auto* const activations = static_cast<float*>(product.workspace);
  const auto run = nm_kernels().panel;
  pack_panels(panels, product.x, activations);
  parallel_for(panels.count * count, [&](int64_t index) {
    const int64_t panel = index / count;
    const Range r = range(header, index % count);
    const int64_t first = r.begin * kNmStrip;
    alignas(64) float sums[kNmGroup * kPanelColumns];
    if (header.slots > 0) {
      run(packed, r.begin, r.end, panels.columns(panel), panels.width,
          activations + panel * panels.elements(), sums);
    } else {
      std::memset(sums, 0, sizeof sums);
    }
    secateur_epilogue epilogue = product.epilogue;
    if (epilogue.bias != nullptr) epilogue.bias += first;
    write_panel(r.outputs, panels.columns(panel), panels.width, sums, epilogue,
                product.y + panel * panels.width * out + first, out);
  });
}

void multiply(const void* matrix, const SparseProduct& product) {
  const NmView packed = view_nm(matrix);
  if (is_few(*packed.header, product.batch)) {
    multiply_few(packed, product);
  } else {
    multiply_panels(packed, product);
  }
}

}  // namespace

const SparseLayout kNmLayout = {nm_pack_bytes, nm_pack, workspace, multiply, nullptr};

}  // namespace secateur
