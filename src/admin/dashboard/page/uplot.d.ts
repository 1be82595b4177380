import type uPlot from 'uplot/dist/uPlot.js';

export { default } from 'uplot/dist/uPlot.js';
export type AlignedData = uPlot.AlignedData;
