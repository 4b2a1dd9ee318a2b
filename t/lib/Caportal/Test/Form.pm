package Caportal::Test::Form;

# Forms as browsers send them (RFC 7578), and as they never would.

use v5.36;
use Exporter 'import';

our @EXPORT_OK = qw(form part file_part form_type);

use constant BOUNDARY => '----formb0undary7MA4YWxk';

# The Content-Type of every form here.
sub form_type () { return 'multipart/form-data; boundary=' . BOUNDARY }

# A field with its value.
sub part ($name, $value, @headers) {
    return join "\r\n", qq{Content-Disposition: form-data; name="$name"}, @headers, '', $value;
}

# A file; type or file name undef: not said.
sub file_part ($bytes, $type = 'image/png', $file_name = 'scan.png', $name = 'file') {
    my $said = defined $file_name ? qq{; filename="$file_name"} : '';
    return qq{Content-Disposition: form-data; name="$name"$said\r\n}
        . (defined $type ? "Content-Type: $type\r\n" : '') . "\r\n$bytes";
}

# The body of a form with these parts.
sub form (@parts) {
    return join('', map { '--' . BOUNDARY . "\r\n$_\r\n" } @parts) . '--' . BOUNDARY . "--\r\n";
}

1;
