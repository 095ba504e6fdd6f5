/**
 * What every device must do, as tests against plain double-precision loops. A device module extends
 * {@link io.github.secateur.device.contract.DeviceContractTest} and gives it a device; the file of
 * a topic holds its oracle beside its tests.
 */
package io.github.secateur.device.contract;
