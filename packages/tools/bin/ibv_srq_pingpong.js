#!/usr/bin/env node
import '../dist/src/bin/ibv_srq_pingpong.js';
