"""Evidence of Azure's confidential VMs, where a paravisor stands between hardware and guest."""
