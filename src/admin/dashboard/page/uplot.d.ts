export { default } from 'uplot/dist/uPlot.js';
export type AlignedData = import('uplot/dist/uPlot.js').default.AlignedData;
