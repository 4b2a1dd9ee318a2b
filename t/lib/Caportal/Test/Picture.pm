package Caportal::Test::Picture;

# Small files of every kind that is inspected, whole and with chosen faults, and readers for what comes back.

use v5.36;
use Caportal::Test::Inspector;
use Compress::Zlib ();
use Exporter 'import';

our @EXPORT_OK = qw(png png_chunk png_split png_pixels gif gif_frame bmp pdf pdf_compressed pdf_page jpeg
    jpeg_pixels exif with_segment near);

# ---- PNG

my %samples = (0 => 1, 2 => 3, 3 => 1, 4 => 2, 6 => 4);

sub png_chunk ($type, $data = '') {
    return pack('N', length $data) . $type . $data . pack 'N', Compress::Zlib::crc32($type . $data);
}

# One row of samples as bytes: depth bits each, big-endian.
sub _pack_row ($depth, @samples) {
    return pack 'n*', @samples if $depth == 16;
    return pack 'C*', @samples if $depth == 8;
    my $bits = join '', map { sprintf "%0${depth}b", $_ } @samples;
    return pack 'B*', $bits . '0' x (-length($bits) % 8);
}

my @passes = ([0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]);

sub _scanlines ($o) {
    my $rows = '';
    for my $pass ($o->{interlace} ? @passes : [0, 0, 1, 1]) {
        my ($x0, $y0, $dx, $dy) = @$pass;
        next if $x0 >= $o->{width};
        for (my $y = $y0; $y < $o->{height}; $y += $dy) {
            my @row;
            for (my $x = $x0; $x < $o->{width}; $x += $dx) { push @row, $o->{pixel}->($x, $y) }
            $rows .= "\0" . _pack_row($o->{depth}, @row);
        }
    }
    return $rows;
}

# width, height, colour (type), depth, interlace, pixel (a sub from x, y to samples), palette, trns (data of chunks),
# before, after (chunks around IDAT), raw (scanlines instead of pixels), idat (compressed data instead of all that).
sub png (%given) {
    my %o = (width => 16, height => 16, colour => 2, depth => 8, interlace => 0, before => '', after => '', %given);
    my $most = 2**$o{depth} - 1;
    $o{pixel} //= sub ($x, $y) { map { ($x * 16 + $y * 8 + $_ * 40) & $most } 1 .. $samples{ $o{colour} } };
    $o{palette} //= pack 'C*', map { $_, 255 - $_, 128 } 0 .. 255 if $o{colour} == 3;
    $o{palette} = substr $o{palette}, 0, 3 * ($most + 1) if $o{colour} == 3;

    return "\x89PNG\r\n\x1a\n"
        . png_chunk('IHDR', pack 'NNC5', @o{qw(width height depth colour)}, 0, 0, $o{interlace})
        . (defined $o{palette} ? png_chunk('PLTE', $o{palette}) : '')
        . (defined $o{trns} ? png_chunk('tRNS', $o{trns}) : '')
        . $o{before}
        . png_chunk('IDAT', $o{idat} // Compress::Zlib::compress($o{raw} // _scanlines(\%o)))
        . $o{after}
        . png_chunk('IEND');
}

# [type, data, offset] of each chunk.
sub png_split ($bytes) {
    my ($at, @chunks) = 8;
    while ($at + 12 <= length $bytes) {
        my ($length, $type) = unpack 'Na4', substr $bytes, $at, 8;
        push @chunks, [$type, substr($bytes, $at + 8, $length), $at];
        $at += 12 + $length;
    }
    return @chunks;
}

sub _paeth ($left, $up, $corner) {
    my $guess = $left + $up - $corner;
    my ($a, $b, $c) = map { abs $guess - $_ } $left, $up, $corner;
    return $a <= $b && $a <= $c ? $left : $b <= $c ? $up : $corner;
}

# A PNG of 8 bits as {width, height, pixels => [[r, g, b, a] …]}.
sub png_pixels ($bytes) {
    my %data;
    $data{ $_->[0] } .= $_->[1] for png_split($bytes);
    my ($width, $height, $depth, $colour) = unpack 'NNCC', $data{IHDR};
    my $n    = $samples{$colour};
    my $rows = Compress::Zlib::uncompress($data{IDAT});
    my @above = (0) x ($width * $n);
    my @pixels;
    die "only 8 bits\n" if $depth != 8;

    for my $y (0 .. $height - 1) {
        my ($filter, @row) = unpack 'C*', substr $rows, $y * ($width * $n + 1), $width * $n + 1;
        for my $i (0 .. $#row) {
            my ($left, $up, $corner) = ($i >= $n ? $row[$i - $n] : 0, $above[$i], $i >= $n ? $above[$i - $n] : 0);
            $row[$i] = ($row[$i] + (0, $left, $up, ($left + $up) >> 1, _paeth($left, $up, $corner))[$filter]) & 255;
        }
        @above = @row;
        while (my @sample = splice @row, 0, $n) {
            push @pixels, $colour == 3
                ? [unpack('C3', substr $data{PLTE}, 3 * $sample[0], 3),
                    defined $data{tRNS} ? unpack('C', substr $data{tRNS}, $sample[0], 1) : 255]
                : $n == 4 ? [@sample] : $n == 3 ? [@sample, 255] : [(@sample) x 3, 255];
        }
    }
    return {width => $width, height => $height, pixels => \@pixels};
}

# ---- JPEG, by libjpeg

# width, height and options of "jpeg draw"; or pixel, a sub from x, y to red, green, blue.
sub jpeg (%given) {
    my $pixel = delete $given{pixel};
    my ($width, $height) = (delete $given{width} // 64, delete $given{height} // 48);
    my @words = map { $given{$_} =~ /\A1\z/ && $_ !~ /quality|blur/ ? $_ : "$_=$given{$_}" } sort keys %given;

    return Caportal::Test::Inspector->pipe('', 'jpeg', 'draw', $width, $height, @words) if !$pixel;
    my $ppm = "P6\n$width $height\n255\n";
    for my $y (0 .. $height - 1) {
        $ppm .= pack 'C*', map { $pixel->($_, $y) } 0 .. $width - 1;
    }
    return Caportal::Test::Inspector->pipe($ppm, 'jpeg', 'encode', 'quality=95', @words);
}

sub jpeg_pixels ($bytes) {
    my $ppm = Caportal::Test::Inspector->pipe($bytes, 'jpeg', 'decode');
    my ($width, $height, $at) = $ppm =~ /\AP6\n(\d+) (\d+)\n255\n/ ? ($1, $2, $+[0]) : die "no JPEG\n";
    my @values = unpack 'C*', substr $ppm, $at;
    return {width => $width, height => $height,
        pixels => [map { [@values[3 * $_ .. 3 * $_ + 2], 255] } 0 .. $width * $height - 1]};
}

# A JPEG with one more segment behind its first marker.
sub with_segment ($jpeg, $marker, $data) {
    return substr($jpeg, 0, 2) . pack('CCn', 0xff, $marker, 2 + length $data) . $data . substr $jpeg, 2;
}

# The content of an APP1: an orientation, and a GPS position that is to be gone.
sub exif ($orientation, $endian = 'big') {
    my ($n, $N) = $endian eq 'big' ? ('n', 'N') : ('v', 'V');
    my $entry = sub ($tag, $type, $count, $value) { pack("$n$n$N", $tag, $type, $count) . $value };
    my $tiff = ($endian eq 'big' ? 'MM' : 'II') . pack("$n$N", 42, 8)
        . pack($n, 2)
        . $entry->(0x0112, 3, 1, pack("$n$n", $orientation, 0))
        . $entry->(0x8825, 4, 1, pack($N, 38))
        . pack($N, 0)
        . pack($n, 1) . $entry->(0x001d, 2, 11, pack($N, 56)) . pack($N, 0)
        . "2026:GPSHERE\0";
    return "Exif\0\0$tiff";
}

# ---- GIF

# LZW without compression: a clear code before the table grows.
sub _lzw ($depth, @indices) {
    my ($clear, $bits) = (1 << $depth, '');
    my $code = sub ($value) { $bits .= reverse sprintf "%0@{[ $depth + 1 ]}b", $value };
    my $room = (1 << $depth) - 2;
    while (my @some = splice @indices, 0, $room) {
        $code->($clear);
        $code->($_) for @some;
    }
    $code->($clear + 1);
    my $bytes  = pack 'b*', $bits;
    my $blocks = '';
    $blocks .= pack('C', length $_) . $_ for unpack '(a255)*', $bytes;
    return pack('C', $depth) . $blocks . "\0";
}

# left, top, width, height, interlace, transparent (index), pixel (a sub from x, y to an index), palette (local).
sub gif_frame (%given) {
    my %o = (left => 0, top => 0, width => 16, height => 16, interlace => 0, pixel => sub ($x, $y) { ($x + $y) % 16 },
        %given);
    my @rows = (0 .. $o{height} - 1);
    if ($o{interlace}) {
        @rows = map {
            my ($first, $step) = @$_;
            grep { $_ >= $first && ($_ - $first) % $step == 0 } 0 .. $o{height} - 1
        } [0, 8], [4, 8], [2, 4], [1, 2];
    }
    my @indices = map { my $y = $_; map { $o{pixel}->($_, $y) } 0 .. $o{width} - 1 } @rows;
    return (defined $o{transparent} ? pack 'CCCCvCC', 0x21, 0xf9, 4, 1, 0, $o{transparent}, 0 : '')
        . pack('Cv4C', 0x2c, @o{qw(left top width height)}, ($o{interlace} ? 0x40 : 0) | ($o{palette} ? 0x83 : 0))
        . ($o{palette} // '') . _lzw(4, @indices);
}

# width, height, frames (of gif_frame()), palette (undef: none).
sub gif (%given) {
    my %o = (width => 16, height => 16, frames => [gif_frame()], end => ';',
        palette => pack('C*', map { ($_ * 17, 255 - $_ * 17, 99) } 0 .. 15), %given);
    return 'GIF89a' . pack('vvCCC', $o{width}, $o{height}, defined $o{palette} ? 0xf3 : 0x70, 0, 0)
        . ($o{palette} // '') . join('', @{ $o{frames} }) . $o{end};
}

# ---- BMP

# width, height (negative: top down), depth, head (its size), compression, palette, masks, data, gap (before the data),
# file_size, offset, used, planes, tail (of a head longer than 40)
sub bmp (%given) {
    my %o = (width => 16, height => 16, depth => 24, head => 40, compression => 0, gap => '', masks => '', planes => 1,
        tail => '', %given);
    my $stride = int(($o{width} * $o{depth} + 31) / 32) * 4;
    my $entry  = $o{head} == 12 ? 3 : 4;
    $o{palette} //= join '', map { pack $entry == 3 ? 'CCC' : 'CCCx', $_, 255 - $_, 7 } 0 .. 2**$o{depth} - 1
        if $o{depth} <= 8;
    $o{palette} //= '';
    $o{data} //= join('', map { chr(($_ * 7) & 255) } 0 .. $stride - 1) x abs $o{height};
    my $size = length $o{data};

    my $head = $o{head} == 12
        ? pack 'Vvvvv', 12, $o{width}, $o{height}, 1, $o{depth}
        : pack 'Vl<l<vvVVVVVV', $o{head}, @o{qw(width height planes depth compression)}, $size, 2835, 2835,
            $o{used} // 0, 0;
    $head = substr $head . $o{tail} . "\0" x $o{head}, 0, $o{head};
    my $offset = $o{offset} // 14 + length($head . $o{masks} . $o{palette} . $o{gap});
    return 'BM' . pack('VvvV', $o{file_size} // $offset + $size, 0, 0, $offset) . $head . $o{masks} . $o{palette}
        . $o{gap} . $o{data};
}

# ---- PDF

# Objects from number 1 on; root is the first. trailer: more of it.
sub pdf ($objects, %option) {
    my $bytes = "%PDF-1.7\n";
    my @at;
    for my $object (@$objects) {
        push @at, length $bytes;
        $bytes .= @at . " 0 obj\n$object\nendobj\n";
    }
    my $start = length $bytes;
    return $bytes . 'xref' . "\n0 " . (@at + 1) . "\n0000000000 65535 f \n"
        . join('', map { sprintf "%010d 00000 n \n", $_ } @at)
        . 'trailer<</Size ' . (@at + 1) . '/Root 1 0 R' . ($option{trailer} // '') . ">>\nstartxref\n$start\n%%EOF\n";
}

# The same with a cross-reference stream, and objects that lie in an object stream: number => that stream's, the first
# object in it.
sub pdf_compressed ($objects, %inside) {
    my $bytes = "%PDF-1.7\n";
    my %entry = (0 => pack 'CNC', 0, 0, 255);
    for my $number (1 .. @$objects) {
        $entry{$number} = pack 'CNC', 1, length $bytes, 0;
        $bytes .= "$number 0 obj\n$objects->[$number - 1]\nendobj\n";
    }
    my $table = @$objects + 1;
    $entry{$table} = pack 'CNC', 1, length $bytes, 0;
    $entry{$_} = pack 'CNC', 2, $inside{$_}, 0 for keys %inside;
    my ($last) = sort { $b <=> $a } keys %entry;
    my $data  = join '', map { $entry{$_} // pack 'CNC', 0, 0, 0 } 0 .. $last;
    my $start = length $bytes;
    my $size  = $last + 1;
    return $bytes . "$table 0 obj\n<</Type/XRef/Size $size/W[1 4 1]/Root 1 0 R/Length @{[ length $data ]}>>stream\n"
        . "$data\nendstream\nendobj\nstartxref\n$start\n%%EOF\n";
}

# A document of pages (width × height points) with content, and further objects from number 3 + 2 × pages on; catalog,
# page, resources: more of these dictionaries.
sub pdf_page (%given) {
    my %o = (pages => 1, width => 595, height => 842, content => '0.9 0.2 0.2 rg 100 600 200 100 re f', catalog => '',
        page => '', resources => '', more => [], %given);
    my @kids    = map { 3 + 2 * $_ } 0 .. $o{pages} - 1;
    my $content = '<</Length ' . length($o{content}) . ">>stream\n$o{content}\nendstream";
    my $page    = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 $o{width} $o{height}]/Resources<<$o{resources}>>/Contents ";
    return pdf([
        "<</Type/Catalog/Pages 2 0 R$o{catalog}>>",
        '<</Type/Pages/Kids[' . join(' ', map {"$_ 0 R"} @kids) . "]/Count $o{pages}>>",
        (map { ($page . ($_ + 1) . " 0 R$o{page}>>", $content) } @kids),
        @{ $o{more} },
    ], trailer => $o{trailer} // '');
}

# ---- comparing

# Whether two pictures are the same within a distance of each sample; of a mean, where JPEG smears edges.
sub near ($got, $want, $mean = 0) {
    return 0 if $got->{width} != $want->{width} || $got->{height} != $want->{height};
    my ($sum, $n) = (0, 0);
    for my $i (0 .. $#{ $want->{pixels} }) {
        for my $c (0 .. 3) {
            $sum += abs $got->{pixels}[$i][$c] - $want->{pixels}[$i][$c];
            $n++;
        }
    }
    return $sum / $n <= $mean;
}

1;
