#!/usr/bin/env node
import '../dist/src/bin/ibv_xsrq_pingpong.js';
