"""One thread for each test process: threads of a small model spend what they get waiting for each other, on a busy machine most of all."""

import torch

torch.set_num_threads(1)
