#!/usr/bin/env node
import '../dist/src/bin/ibv_uc_pingpong.js';
