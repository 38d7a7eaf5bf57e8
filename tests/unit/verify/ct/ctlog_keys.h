/*
 * ctlog_keys.h - keys of logs that exist only in tests, and the ids of those logs. The private keys are lost.
 */
#ifndef TESTS_UNIT_VERIFY_CT_CTLOG_KEYS_H
#define TESTS_UNIT_VERIFY_CT_CTLOG_KEYS_H

#define A_KEY "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELij8qchRF08kpkMmjBaQUbXgu7qIUDYAPS+xoype+mJ+4gn/afuGaaARtbGOSKNruNrP2alcJm2AXje7cQc7YQ=="
#define A_ID "6xkF0Pj2HkkIjz7+rAV7J2bFkOP3epvhVBTdC13Vor0="
#define TAIL_KEY "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELij8qchRF08kpkMmjBaQUbXgu7qIUDYAPS+xoype+mJ+4gn/afuGaaARtbGOSKNruNrP2alcJm2AXje7cQc7YQA="
#define TAIL_ID "LSSPFiFdsbHuMklpPn4gRNntmm02GPXD2uDHBqgKKq4="
#define B_KEY "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAErZAnbCKYQ8m8DEbq3xaUuKjs7rKwcUUJf+ZYAB3v+uns7l3ODmec6LtrNxYr7SCvIDb1qLLBiJhlKayQtmf0sg=="
#define B_ID "K7lqGAPFvx8qAfXPbkV2FYkZhzvdIkZa8WtI4u4jIwM="
#define C_KEY "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE3eyjjJH4haN+RkWP7GF7n8yLSE04JcrZ4C/eC9L2+XyDkb9PD/D4SWzloFdLrfNPr6zglXYEWl/YGyp1pRgQlg=="
#define C_ID "xVaPyV8oivG+wQ++Ujq/zVFqEhL/pTqHwM2djkQ/AEw="
#define RSA2048_KEY "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnuF2nzQ6XHZuQkDu26PdqAaQqpaLrddn5L7Sj81JxteIkvdgd0rWagVdxIShDCNKLCuRDt4MS6461qDT1GRBZtNukA4ZmNxrobG1mMAlIdF5B+j8cgfePYv1c83FgMDHluq6Ca61hVRtwVPg7UNYtl0VOj7vgwKGLf9aaPJFxNMejh9IqBB9c7osEl/46T/QYH8Nhh0SqHJ6Dlof3HPNVaheZRkef3b1aLpVjzIs2GSPIcajqy8NyL8HnD827mG89XPydv1KxJ94axCi/kp4hia6iun86dKLiowQ02KejPzmtHHzKTJ6ZAApDp5TLSyvbilHbq/oiIJRfp2gzJeoFwIDAQAB"
#define RSA2048_ID "ixxEPVTsUzQUHPP0c5rSyskmYqtFnb7lbMiN361I2d0="
#define RSA1024_KEY "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDTrlF242zqfoE9DHJV/btovbuLFUq0uJfHePk5WR++NqmNdXuhbfpWXjL/N+PNgYYomJ53kCRCVDo66zs8kicMVPt1NXSZ5iJY51PgCEQFhIrcRHvltdoUFRp+zMEmPvcEKlWnwv5deKRgOxMAtJRkwn+UMjkk9lHVUgV0bjhPoQIDAQAB"
#define RSA1024_ID "EfyS+hr23nKTT4sMdk/8m38VYfYwIQKhD9N1oBvgDVM="
#define P384_KEY "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAECCwgXgqy3kO9EbhA6JHyJVYpic35dQNv3bqgKet3bdjGRPTUOCee0PSKa39rGAlFYv2dT7Z/DKth6bCVLQa2EzNLYVwVMLH7HSIGbdyTOpoif9j6UTbh7hRVtExv29NF"
#define P384_ID "ttR3QU3jNkQHcvEyzUjPf/g7LuzqdyZV8evzUiAemB4="
#define ED_KEY "MCowBQYDK2VwAyEA6Kp7Nuh8ARnL0Ek8cdLN4e0voDiFuidpIH8+GJTGrnY="
#define ED_ID "5gKPIy6DXRSpYBWx4tmiTFG+xKK+VVko/fEsy6cBC74="

/* A_KEY as a C string inside a C string. */
#define A_ESCAPED \
	"\"\\x30\\x59\\x30\\x13\\x06\\x07\\x2a\\x86\\x48\\xce\\x3d\\x02\\x01\\x06\\x08\\x2a\\x86\\x48\"\n" \
	"\"\\xce\\x3d\\x03\\x01\\x07\\x03\\x42\\x00\\x04\\x2e\\x28\\xfc\\xa9\\xc8\\x51\\x17\\x4f\\x24\"\n" \
	"\"\\xa6\\x43\\x26\\x8c\\x16\\x90\\x51\\xb5\\xe0\\xbb\\xba\\x88\\x50\\x36\\x00\\x3d\\x2f\\xb1\"\n" \
	"\"\\xa3\\x2a\\x5e\\xfa\\x62\\x7e\\xe2\\x09\\xff\\x69\\xfb\\x86\\x69\\xa0\\x11\\xb5\\xb1\\x8e\"\n" \
	"\"\\x48\\xa3\\x6b\\xb8\\xda\\xcf\\xd9\\xa9\\x5c\\x26\\x6d\\x80\\x5e\\x37\\xbb\\x71\\x07\\x3b\"\n" \
	"\"\\x61\"\n"

#endif
