/** Units of a sale or a SKU. */
export interface Units {
    total: number;
    available: number;
    held: number;
    confirmed: number;
}
/** The stock of a sale at one event. */
export interface Stock extends Units {
    sale: string;
    epoch: number;
    seq: number;
    phase: string;
    skus: (Units & {
        sku: string;
    })[];
}
/** Yields the stock now and after each change. It opens the stream again, until the sale has ended. */
export declare function watch(url: string, signal?: AbortSignal): AsyncGenerator<Stock>;
