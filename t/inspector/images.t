use v5.36;
use warnings FATAL => 'all';

# Pictures of each kind: what is accepted, what is refused and why, and that the copies show what the file showed and
# nothing else of it.

use Caportal::Test::Inspector;
use Caportal::Test::Picture qw(png png_chunk png_pixels gif gif_frame bmp jpeg jpeg_pixels exif with_segment near);
use Test::More;

my $inspector = Caportal::Test::Inspector->start;

# [name, type, bytes, verdict]: the same twice.
sub table (@rows) {
    my @files = map { [$_->[1], $_->[2]] } @rows;
    my @first  = $inspector->verdicts({}, @files);
    my @second = $inspector->verdicts({}, @files);
    for my $i (0 .. $#rows) {
        is $first[$i], $rows[$i][3], "$rows[$i][1]: $rows[$i][0]";
        is $second[$i], $first[$i], '  and again' if $second[$i] ne $first[$i];
    }
    is_deeply \@second, \@first, 'the same verdicts on a second try';
    return;
}

# Truncations of a file at each of its bytes; how many were accepted.
sub cuts ($type, $bytes, $from = 0) {
    my @files = map { [$type, substr $bytes, 0, $_] } 1 .. length($bytes) - 1;
    my @got   = $inspector->verdicts({}, @files);
    my @good  = grep { $got[ $_ - 1 ] eq 'ok' } 1 .. @got;
    my @odd   = grep { $_ !~ /\A(?:ok|damaged|unsupported|too_many_pixels)\z/ } @got;
    is "@odd", '', "$type: each of " . @got . ' truncations is refused for what it is';
    return @good;
}

my $picture = jpeg(pixel => sub ($x, $y) { $x < 32 ? (220, 60, 40) : $y < 24 ? (40, 160, 60) : (50, 80, 200) });

subtest 'PNG' => sub {
    my @rows;
    for my $kind ([0, 1, 2, 4, 8, 16], [2, 8, 16], [3, 1, 2, 4, 8], [4, 8, 16], [6, 8, 16]) {
        my ($colour, @depths) = @$kind;
        push @rows, map { my $depth = $_; map { ["colour $colour, depth $depth, interlace $_", 'png',
            png(colour => $colour, depth => $depth, interlace => $_, width => 19, height => 13), 'ok'] } 0, 1 } @depths;
    }
    my $good = png();
    my $colours = png(colour => 3);
    my $bad_crc = sub ($type) {
        my $copy = $colours;
        my $at   = index $copy, $type;
        substr($copy, $at + 4 + unpack('N', substr $copy, $at - 4, 4), 1) ^.= "\1";
        return $copy;
    };
    push @rows, map { ["a wrong CRC of $_", 'png', $bad_crc->($_), 'damaged'] } qw(IHDR PLTE IDAT IEND);
    push @rows,
        ['no IEND', 'png', substr($good, 0, -12), 'damaged'],
        ['no palette', 'png', png(colour => 3, palette => ''), 'damaged'],
        ['too little data', 'png', png(raw => "\0" x 700), 'damaged'],
        ['too much data', 'png', png(raw => "\0" x 800), 'ok'],
        ['no data', 'png', png(idat => ''), 'damaged'],
        ['a filter that is none', 'png', png(raw => "\7" . "\0" x 783), 'damaged'],
        ['data that is none', 'png', png(idat => 'no zlib at all'), 'damaged'],
        ['width 0', 'png', png(width => 0, raw => ''), 'damaged'],
        ['colour type 5', 'png',
            $good =~ s/\A(.{8}).{25}/$1 . png_chunk('IHDR', pack 'NNC5', 16, 16, 8, 5, 0, 0, 0)/ser, 'damaged'],
        ['a chunk whose name is none', 'png', png(before => png_chunk('t(Xt', 'x')), 'damaged'],
        ['an unknown critical chunk', 'png', png(before => png_chunk('ABCD', 'x')), 'damaged'],
        ['an unknown ancillary chunk', 'png', png(before => png_chunk('abCd', 'x')), 'ok'],
        ['a time that is none', 'png', png(before => png_chunk('tIME', pack 'nC5', 2026, 13, 40, 25, 61, 61)), 'ok'],
        ['an ancillary chunk with a wrong CRC', 'png', png(before => substr(png_chunk('tEXt', "a\0b"), 0, -1) . 'x'),
            'ok'],
        ['a gamma of the wrong length', 'png', png(before => png_chunk('gAMA', 'xx')), 'ok'],
        ['two physical sizes', 'png', png(before => png_chunk('pHYs', "\0" x 9) x 2), 'ok'],
        ['a tRNS of the wrong length', 'png', png(trns => 'x'), 'ok'],
        ['a tRNS with more entries than the palette', 'png', png(colour => 3, depth => 2, trns => 'xxxxxxxxxx'), 'ok'],
        ['a profile that is none', 'png', png(before => png_chunk('iCCP', 'junk')), 'ok'],
        ['bytes behind its end', 'png', $good . 'PK' x 50, 'ok'],
        ['empty but for its signature', 'png', substr($good, 0, 8), 'damaged'],
        ['a JPEG under its name', 'png', $picture, 'damaged'];
    table(@rows);

    is_deeply [cuts('png', png(width => 5, height => 4, before => png_chunk('tEXt', "a\0bcd")))], [],
        'no truncation is accepted';

    # Colour type, depth, tRNS; samples of the fourth column, and of all others.
    my @cases = (
        [6, 8, undef, [0, 0, 0, 0], [250, 120, 30, 255]],
        [2, 8, pack('nnn', 0, 0, 0), [0, 0, 0], [250, 120, 30]],
        [3, 4, "\0\x80", [1], [0]],
        [0, 8, pack('n', 64), [64], [0]],
        [0, 2, undef, [1], [0]],
        [4, 8, undef, [0, 0], [250, 255]],
    );
    for my $case (@cases) {
        my ($colour, $depth, $trns, $fourth, $others) = @$case;
        my $bytes = png(colour => $colour, depth => $depth, trns => $trns, width => 9, height => 7,
            pixel => sub ($x, $y) { $x == 3 ? @$fourth : @$others });
        my $got = $inspector->inspect('png', $bytes);
        is $got->{copy}{type}, 'image/png', "colour $colour depth $depth: stays PNG";
        my $copy = png_pixels($got->{copy}{bytes});
        my $want = $colour == 3 || $depth == 2 ? undef : $copy->{pixels}[3][3];
        is $want, 0, '  and transparent where it was' if defined $want;
        is $copy->{pixels}[4][3], 255, '  and opaque elsewhere' if $colour != 3;
        is $copy->{pixels}[0][3], 0, '  index 0 is transparent' if $colour == 3;
        is $copy->{pixels}[3][3], 128, '  index 1 half' if $colour == 3;
    }

    my $exact = $inspector->inspect('png', png(colour => 3, depth => 8, width => 40, height => 30));
    ok near(png_pixels($exact->{copy}{bytes}), png_pixels(png(colour => 3, depth => 8, width => 40, height => 30))),
        'a palette survives to the bit';
    my $smooth = sub ($x, $y) { ($x * 4, $y * 5, 100) };
    my $photo  = $inspector->inspect('png', png(width => 48, height => 40, pixel => $smooth));
    is $photo->{copy}{type}, 'image/jpeg', 'true colours become JPEG';
    ok near(jpeg_pixels($photo->{copy}{bytes}), png_pixels(png(width => 48, height => 40, pixel => $smooth)), 3),
        'that looks the same';
    my $adam = $inspector->inspect('png', png(width => 48, height => 40, pixel => $smooth, interlace => 1));
    is $adam->{copy}{bytes}, $photo->{copy}{bytes}, 'interlaced or not';
};

subtest 'JPEG' => sub {
    my $eoi = "\xff\xd9";
    my @rows = (
        (map { [$_, 'jpeg', jpeg(width => 70, height => 50, $_ => 1), 'ok'] }
            qw(grey progressive cmyk restart full arithmetic)),
        ['plain', 'jpeg', $picture, 'ok'],
        ['bytes behind its end', 'jpeg', $picture . "\0camera's own\xff\xd8\xff" x 20, 'ok'],
        ['bytes between its segments', 'jpeg', substr($picture, 0, 2) . "\0\0\0\0" . substr($picture, 2), 'ok'],
        ['without its last marker', 'jpeg', substr($picture, 0, -2), 'damaged'],
        ['progressive, without its last marker', 'jpeg', substr(jpeg(progressive => 1), 0, -2), 'damaged'],
        ['a comment', 'jpeg', with_segment($picture, 0xfe, 'hello'), 'ok'],
        ['half of its data', 'jpeg', substr($picture, 0, length($picture) / 2 + 200) . $eoi, 'damaged'],
        ['an EXIF that is none', 'jpeg', with_segment($picture, 0xe1, "Exif\0\0MM\0*\xff\xff\xff\xff"), 'ok'],
        ['an Adobe segment that is none', 'jpeg', with_segment($picture, 0xee, 'Adobe'), 'ok'],
        ['12 bits', 'jpeg', $picture =~ s/(\xff\xc0..)\x08/$1\x0c/sr, 'unsupported'],
        ['lossless', 'jpeg', $picture =~ s/\xff\xc0/\xff\xc3/r, 'unsupported'],
        ['height 0', 'jpeg', $picture =~ s/(\xff\xc0..\x08)../$1\0\0/sr, 'damaged'],
        ['without Huffman tables, as in motion JPEG', 'jpeg', $picture =~ s/\xff\xc4/\xff\xe9/gr, 'ok'],
        ['no quantization tables', 'jpeg', $picture =~ s/\xff\xdb/\xff\xe9/gr, 'damaged'],
        ['only two bytes', 'jpeg', "\xff\xd8", 'damaged'],
        ['a PNG under its name', 'jpeg', png(), 'damaged'],
    );
    my $progressive = jpeg(width => 96, height => 96, progressive => 1);
    my $last_scan   = rindex $progressive, "\xff\xda";
    push @rows, ['progressive, without its last scan', 'jpeg', substr($progressive, 0, $last_scan), 'damaged'],
        ['progressive, its last scan cut out', 'jpeg', substr($progressive, 0, $last_scan + 30), 'damaged'];
    my $restart = jpeg(width => 64, height => 64, restart => 1);
    push @rows, ['a restart marker out of turn', 'jpeg', $restart =~ s/\xff\xd2/\xff\xd5/r, 'damaged'];
    table(@rows);

    is_deeply [cuts('jpeg', jpeg(width => 8, height => 8, $_ => 1))], [], "no truncation is accepted, $_"
        for qw(grey progressive arithmetic);

    my $cmyk = $inspector->inspect('jpeg', jpeg(cmyk => 1, pixel => sub ($x, $y) { (200, 100, 50) }));
    ok near(jpeg_pixels($cmyk->{copy}{bytes}), { width => 64, height => 48,
        pixels => [map { [200, 100, 50, 255] } 1 .. 64 * 48] }, 4),
        'ink becomes light';

    # The left half is red, right above green, right below blue.
    my %corner = (    # of the upright picture: which colours are at left above, right above, left below, right below
        1 => 'R G R B', 2 => 'G R B R', 3 => 'B R G R', 4 => 'R B R G', 5 => 'R R G B', 6 => 'R R B G', 7 => 'B G R R',
        8 => 'G B R R',
    );
    for my $orientation (1 .. 8) {
        for my $endian (qw(big little)) {
            my $bytes = with_segment($picture, 0xe1, exif($orientation, $endian));
            my $got   = $inspector->inspect('jpeg', $bytes);
            my $copy  = jpeg_pixels($got->{copy}{bytes});
            my ($w, $h) = @$copy{qw(width height)};
            is_deeply [$w, $h], $orientation < 5 ? [64, 48] : [48, 64],
                "orientation $orientation, $endian: upright size" if $endian eq 'big';
            my $name = sub ($x, $y) {
                my ($r, $g, $b) = @{ $copy->{pixels}[$y * $w + $x] };
                return $r > $g && $r > $b ? 'R' : $g > $b ? 'G' : 'B';
            };
            is join(' ', map { $name->(@$_) } [4, 4], [$w - 5, 4], [4, $h - 5], [$w - 5, $h - 5]),
                $corner{$orientation}, "orientation $orientation, $endian: upright";
            is $got->{orientation}, $orientation, '  and told';
            is $got->{landscape}, $w > $h ? 1 : 0, '  as wide as it is seen' if $endian eq 'big';
            unlike $got->{$_}{bytes}, qr/GPSHERE|Exif/, "  no position in the $_" for qw(copy thumbnail);
        }
    }
};

subtest 'GIF' => sub {
    my $one = gif();
    my $bad = $one;
    substr($bad, -30, 20) = "\xff" x 20;
    table(
        ['one frame', 'gif', $one, 'ok'],
        ['interlaced', 'gif', gif(frames => [gif_frame(interlace => 1)]), 'ok'],
        ['GIF87a', 'gif', $one =~ s/89a/87a/r, 'ok'],
        ['animated', 'gif', gif(frames => [gif_frame(transparent => 1), gif_frame(width => 4, height => 4),
            gif_frame()]), 'ok'],
        ['a comment', 'gif', gif(frames => ["\x21\xfe\x05hello\0", gif_frame()]), 'ok'],
        ['no colours', 'gif', gif(palette => undef), 'ok'],
        ['a screen of 0', 'gif', gif(width => 0, height => 0), 'ok'],
        ['a frame beyond the screen', 'gif', gif(frames => [gif_frame(left => 9, top => 9)]), 'ok'],
        ['without its trailer', 'gif', gif(end => ''), 'ok'],
        ['bytes behind its end', 'gif', $one . 'PK' x 30, 'ok'],
        ['no frame', 'gif', gif(frames => []), 'damaged'],
        ['codes that are none', 'gif', $bad, 'damaged'],
        ['a second frame that ends early', 'gif', gif(frames => [gif_frame(), substr gif_frame(), 0, 40], end => ''),
            'damaged'],
        ['a code that is not defined yet', 'gif', $one =~ s/(\x2c.{9}\x04.)../$1\xf0\xff/sr, 'damaged'],
        ['GIF90a', 'gif', $one =~ s/89a/90a/r, 'damaged'],
        ['a frame of 0 × 0', 'gif', gif(frames => [gif_frame(width => 0, height => 0)]), 'damaged'],
        ['too large', 'gif', gif(width => 65535, height => 65535), 'too_many_pixels'],
        ['a PNG under its name', 'gif', png(), 'damaged'],
    );
    is_deeply [cuts('gif', $one)], [length($one) - 1],
        'a truncation is accepted only when the trailer alone is missing';

    my $got  = $inspector->inspect('gif', gif(width => 20, height => 20,
        frames => [gif_frame(left => 2, top => 1, transparent => 3)]));
    my $copy = png_pixels($got->{copy}{bytes});
    is $copy->{width}, 20, 'the screen is kept';
    is_deeply $copy->{pixels}[0], $copy->{pixels}[1 * 20 + 2 + 3], 'what the frame does not reach is transparent';
    is_deeply $copy->{pixels}[1 * 20 + 2 + 5], [85, 170, 99, 255], 'what it reaches has its colour';
    my $plain = $inspector->inspect('gif', gif());
    is $inspector->inspect('gif', gif(frames => [gif_frame(interlace => 1)]))->{copy}{bytes}, $plain->{copy}{bytes},
        'interlaced or not';
    is $inspector->inspect('gif', gif(frames => [gif_frame(), gif_frame(pixel => sub { 5 })]))->{copy}{bytes},
        $plain->{copy}{bytes}, 'the first frame is shown';
};

subtest 'BMP' => sub {
    my $masks = sub (@m) { pack 'V*', @m };
    my $row8  = sub ($y) { pack 'C2', 16, $y };
    my $rle   = join '', map { $row8->($_) . "\0\0" } 0 .. 15;
    my @v4    = (head => 108, compression => 3, depth => 32);
    my $v4    = sub (@m) { $masks->(@m) . 'BGRs' };
    table(
        (map { ["$_ bits", 'bmp', bmp(depth => $_, width => 19, height => 7), 'ok'] } 1, 2, 4, 8, 16, 24, 32),
        (map { ["$_ bits, OS/2", 'bmp', bmp(head => 12, depth => $_), 'ok'] } 1, 4, 8, 24),
        (map { ["a head of $_ bytes", 'bmp', bmp(head => $_), 'ok'] } 16, 40, 52, 56, 64, 108, 124),
        ['top down', 'bmp', bmp(height => -16), 'ok'],
        ['fields 5-6-5', 'bmp', bmp(depth => 16, compression => 3, masks => $masks->(0xf800, 0x7e0, 0x1f)), 'ok'],
        ['fields 8-8-0', 'bmp', bmp(depth => 16, compression => 3, masks => $masks->(0xff00, 0xff, 0)), 'ok'],
        ['fields of 32 bits', 'bmp', bmp(depth => 32, compression => 3, masks => $masks->(0xff, 0xff00, 0xff0000)),
            'ok'],
        ['fields with alpha', 'bmp', bmp(depth => 32, compression => 6,
            masks => $masks->(0xff0000, 0xff00, 0xff, 0xff000000)), 'ok'],
        ['fields in a head of version 4', 'bmp', bmp(@v4, tail => $v4->(0xff0000, 0xff00, 0xff, 0xff000000)), 'ok'],
        ['a palette too short', 'bmp', bmp(depth => 8, palette => "\1\2\3\0" x 5, used => 5), 'ok'],
        ['a palette too short, not said', 'bmp', bmp(depth => 8, palette => "\1\2\3\0" x 5), 'ok'],
        ['a palette too long', 'bmp', bmp(depth => 8, palette => "\1\2\3\0" x 300, used => 300), 'ok'],
        ['a palette of 24 bits', 'bmp', bmp(palette => "\1\2\3\0" x 256, used => 256), 'ok'],
        ['a gap before the pixels', 'bmp', bmp(gap => 'x' x 99), 'ok'],
        ['a wrong file size', 'bmp', bmp(file_size => 1), 'ok'],
        ['a wrong number of planes', 'bmp', bmp(planes => 5), 'ok'],
        ['RLE8', 'bmp', bmp(depth => 8, compression => 1, data => "$rle\0\1"), 'ok'],
        ['RLE8 without its end', 'bmp', bmp(depth => 8, compression => 1, data => $rle), 'ok'],
        ['RLE8 that ends early by its mark', 'bmp', bmp(depth => 8, compression => 1,
            data => substr($rle, 0, 20) . "\0\1"), 'ok'],
        ['RLE8 beyond the row', 'bmp', bmp(depth => 8, compression => 1, data => "\xff\1" . "$rle\0\1"), 'ok'],
        ['RLE8 with a delta', 'bmp', bmp(depth => 8, compression => 1, data => "\2\1\0\2\3\4\2\1\0\1"), 'ok'],
        ['RLE8 with pixels one by one', 'bmp', bmp(depth => 8, compression => 1, data => "\0\3abc\0\0\1"), 'ok'],
        ['RLE8 that is cut', 'bmp', bmp(depth => 8, compression => 1, data => substr $rle, 0, 30), 'damaged'],
        ['RLE4', 'bmp', bmp(depth => 4, compression => 2, data => ("\x10\x12\0\0" x 16) . "\0\1"), 'ok'],
        ['RLE24 of OS/2', 'bmp', bmp(head => 64, depth => 24, compression => 4, data => ("\x10abc\0\0" x 16) . "\0\1"),
            'ok'],
        ['a JPEG inside', 'bmp', bmp(compression => 4, data => $picture), 'unsupported'],
        ['a PNG inside', 'bmp', bmp(compression => 5, data => png()), 'unsupported'],
        ['Huffman of OS/2', 'bmp', bmp(head => 64, depth => 1, compression => 3, palette => "\0" x 8), 'unsupported'],
        ['64 bits', 'bmp', bmp(depth => 64), 'unsupported'],
        ['3 bits', 'bmp', bmp(depth => 3), 'damaged'],
        ['pixels missing', 'bmp', substr(bmp(), 0, -60), 'damaged'],
        ['the last filling missing', 'bmp', substr(bmp(width => 15), 0, -3), 'ok'],
        ['width 0', 'bmp', bmp(width => 0, data => 'x' x 99), 'damaged'],
        ['width below 0', 'bmp', bmp(width => -5, data => 'x' x 99) =~ s/\0\0\0\0(?=\x10)/\xfb\xff\xff\xff/r,
            'damaged'],
        ['really big', 'bmp', bmp(width => 3_000_000, height => 2_000_000, data => 'x'), 'too_many_pixels'],
        ['a height that has no positive', 'bmp', bmp(height => -2147483648, data => 'x'), 'too_many_pixels'],
        ['pixels outside the file', 'bmp', bmp(offset => 0x7fffffff), 'damaged'],
        ['a place of the pixels that was not filled in', 'bmp', bmp(offset => 0), 'ok'],
        ['a head of a length that is none', 'bmp', bmp(head => 66), 'damaged'],
        ['only its first bytes', 'bmp', 'BM', 'damaged'],
    );
    is_deeply [cuts('bmp', bmp(width => 4, height => 4))], [], 'no truncation is accepted';

    my $shown = sub (%given) {
        my $copy = $inspector->inspect('bmp', bmp(width => 32, height => 32, %given))->{copy};
        return $copy->{type} eq 'image/png' ? png_pixels($copy->{bytes}) : jpeg_pixels($copy->{bytes});
    };
    my $flat = sub ($r, $g, $b, $a = 255) {
        return {width => 32, height => 32, pixels => [map { [$r, $g, $b, $a] } 1 .. 1024]};
    };
    ok near($shown->(data => "\x14\x50\xc8" x 1024), $flat->(0xc8, 0x50, 0x14), 3), '24 bits: blue, green, red';
    ok near($shown->(depth => 32, data => "\x14\x50\xc8\0" x 1024), $flat->(0xc8, 0x50, 0x14), 3),
        '32 bits without alpha are opaque';
    ok near($shown->(depth => 16, data => pack('v', 31 << 10) x 1024), $flat->(255, 0, 0), 3), '16 bits: 5-5-5';
    ok near($shown->(depth => 16, compression => 3, masks => $masks->(0xf800, 0x7e0, 0x1f),
        data => pack('v', 63 << 5) x 1024), $flat->(0, 255, 0), 3), '16 bits: 5-6-5';
    ok near($shown->(depth => 32, compression => 6, masks => $masks->(0xff, 0xff00, 0xff0000, 0xff000000),
        data => "\x10\x20\x30\x80" x 1024), $flat->(16, 32, 48, 128)), 'alpha is kept';
    ok near($shown->(depth => 32, compression => 6, masks => $masks->(0xff, 0xff00, 0xff0000, 0xff000000),
        data => "\x10\x20\x30\0" x 1024), $flat->(16, 32, 48), 3), 'alpha that is 0 everywhere is none';
    ok near($shown->(depth => 8, data => "\x05" x 1024), $flat->(7, 250, 5)), 'a palette';
    my $up   = $shown->(depth => 8, data => join '', map { chr($_) x 32 } 0 .. 31);
    my $down = $shown->(depth => 8, height => -32, data => join '', map { chr($_) x 32 } reverse 0 .. 31);
    is $up->{pixels}[0][2], 31, 'the last row is the first one seen';
    ok near($up, $down), 'top down it is the other way round';
    my $runs = $shown->(depth => 8, compression => 1,
        data => join('', map { pack('C2', 32, $_) . "\0\0" } 0 .. 31) . "\0\1");
    ok near($up, $runs), 'runs show the same';
};

subtest 'no byte of the original survives' => sub {
    my $mark = '<script>alert("MARKER")</script>PK\3\4MARKER<?php system("MARKER"); ?>%PDF-1.4 MARKER';
    my $icc  = "ICC_PROFILE\0\1\1" . 'MARKER' x 40;
    my %of   = (
        'JPEG with a comment'   => [jpeg => with_segment($picture, 0xfe, $mark)],
        'JPEG with a profile'   => [jpeg => with_segment($picture, 0xe2, $icc)],
        'JPEG with XMP'         => [jpeg => with_segment($picture, 0xe1, "http://ns.adobe.com/xap/1.0/\0$mark")],
        'JPEG with an archive'  => [jpeg => $picture . $mark],
        'PNG with text'         => [png => png(before => png_chunk('tEXt', "Comment\0$mark"))],
        'PNG with a profile'    =>
            [png => png(before => png_chunk('iCCP', "MARKER\0\0" . Compress::Zlib::compress($mark)))],
        'PNG with an archive'   => [png => png(colour => 3) . $mark],
        'PNG that hides it in the palette' =>
            [png => png(colour => 3, palette => substr($mark x 20, 0, 768), width => 4, height => 4,
            pixel => sub { 0 })],
        'GIF with a script'     => [gif => gif(frames => ["\x21\xfe" . chr(length $mark) . "$mark\0", gif_frame()])],
        'GIF with an archive'   => [gif => gif() . $mark],
        'BMP with an archive'   => [bmp => bmp(depth => 8) . $mark],
        'BMP with a gap'        => [bmp => bmp(gap => $mark)],
    );
    for my $name (sort keys %of) {
        my $got = $inspector->inspect(@{ $of{$name} });
        is $got->{reason} . $got->{code}, '', "$name is accepted";
        my $copies = join '', map { $got->{$_}{bytes} } qw(copy thumbnail);
        my $hidden = $name =~ /palette/;
        ok $copies !~ /MARKER|script|PDF-1|php|ICC|PK\x03/, '  and its copies are clean' if !$hidden;
        ok index($copies, substr $mark, 0, 30) < 0, '  nor a palette that nobody sees' if $hidden;
    }
};

subtest 'sizes' => sub {
    my $got = $inspector->inspect('png', png(width => 600, height => 300,
        raw => "\0" . ("\x80" x 1800) . ("\1" . "\0" x 1800) x 299));
    is_deeply [@$got{qw(width height)}], [600, 300], 'of the picture';
    is_deeply [@{ $got->{thumbnail} }{qw(width height type)}], [256, 128, 'image/jpeg'], 'of the thumbnail';
    is_deeply [@{ $got->{copy} }{qw(width height type)}], [600, 300, 'image/jpeg'], 'of the copy';
    $got = $inspector->inspect('png', png(width => 20, height => 30));
    is_deeply [@{ $got->{thumbnail} }{qw(width height)}], [20, 30], 'a small picture is not made larger';
    $got = $inspector->inspect('png', png(width => 2000, height => 1, raw => "\0" x 6001), thumbnail => 100);
    is_deeply [@{ $got->{thumbnail} }{qw(width height)}], [100, 1], 'nor does a line vanish';
    my $picture = jpeg(width => 300, height => 300);
    my ($fine, $coarse)
        = map { length $inspector->inspect('jpeg', $picture, quality => $_)->{copy}{bytes} } 95, 60;
    cmp_ok $fine, '>', $coarse, 'quality is what was asked for';
};

$inspector->stop;
done_testing;
