package Caportal::OpenApi;

# html/openapi.yaml as the tests use it: its operations, and whether an answer is one that it describes.

use v5.36;
use Caportal::Schema;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use JSON::PP ();
use YAML::XS ();

my $path = abs_path(dirname(__FILE__) . '/../../../html/openapi.yaml');
my %methods = map { $_ => 1 } qw(get post put patch delete);

sub new ($class, $file = $path) {
    local $YAML::XS::Boolean = 'JSON::PP';
    my $document = YAML::XS::LoadFile($file);
    return bless {
        document => $document,
        schema   => Caportal::Schema->new($document),
        paths    => [map { [$_, _pattern($_)] } sort { length $b <=> length $a } keys %{ $document->{paths} }],
    }, $class;
}

# The one description that all tests of a process share.
sub shared ($class) {
    state $shared = $class->new;
    return $shared;
}

sub document ($self) { return $self->{document} }

# What is wrong with an answer, one line each; nothing when it is one that is described. `type` and `body` (bytes) may
# be undefined where there are none. Paths that are none of the API's are not looked at.
sub check_answer ($self, $method, $path, $status, $type, $body) {
    my $plain = $path =~ s/[?#].*//sr;
    return if $plain !~ m{\A/(?:(?:api|staff/api|callback|crl)/|healthz\z)};

    my $head      = $method eq 'HEAD';
    my $item      = $self->_path_item($plain);
    my $operation = $item && $item->{ $head ? 'get' : lc $method };
    my $response  = $operation && $operation->{responses}{$status};
    my @faults
        = !$item      ? $self->_check_refusal($status, 404, 'not_found', $type, $head, $body)
        : !$operation ? $self->_check_refusal($status, 405, 'method_not_allowed', $type, $head, $body)
        : !$response  ? "status $status is not described"
        :               $self->_check_response($self->_there($response), $type, $head, $body);

    return map {"$method $plain, $status: $_"} @faults;
}

# The operations as [{id, method, path, security, parameters, body, responses}], references followed.
sub operations ($self) {
    my @list;
    my $paths = $self->{document}{paths};
    for my $path (sort keys %$paths) {
        for my $method (grep { $methods{$_} } sort keys %{ $paths->{$path} }) {
            my $operation = $paths->{$path}{$method};
            push @list, {
                id         => $operation->{operationId},
                method     => uc $method,
                path       => $path,
                security   => $operation->{security},
                parameters => [map { $self->_there($_) } @{ $operation->{parameters} // [] }],
                body       => $operation->{requestBody} && $self->_there($operation->{requestBody}),
                responses  => {map { $_ => $self->_there($operation->{responses}{$_}) }
                        keys %{ $operation->{responses} }},
            };
        }
    }
    return \@list;
}

# The codes that a problem's response lists, and the status that it names.
sub codes ($self, $response) {
    my $problem = $response->{content}{'application/problem+json'} or return;
    my ($special) = grep { $_->{properties} } @{ $problem->{schema}{allOf} };
    my $code = $special->{properties}{code};
    return ($special->{properties}{status}{const}, $code->{enum} ? @{ $code->{enum} } : $code->{const});
}

sub schema ($self, $name) { return $self->{document}{components}{schemas}{$name} // die "no schema $name\n" }

# As Caportal::Schema->faults, of a schema by name or as it stands.
sub faults ($self, $schema, $document) {
    return $self->{schema}->faults(ref $schema ? $schema : $self->schema($schema), $document);
}

sub _there ($self, $thing) { return $thing->{'$ref'} ? $self->{schema}->resolve($thing->{'$ref'}) : $thing }

sub _pattern ($template) {
    my $pattern = join '[^/]+', map {quotemeta} split /\{\w+\}/, $template, -1;
    return qr/\A$pattern\z/;
}

sub _path_item ($self, $path) {
    my ($found) = grep { $path =~ $_->[1] } @{ $self->{paths} };
    return $found && $self->{document}{paths}{ $found->[0] };
}

# An answer to what no operation is described for.
sub _check_refusal ($self, $status, $wanted, $code, $type, $head, $body) {
    return "is not described, yet the status is not $wanted" if $status != $wanted;
    my $schema = {allOf => [$self->schema('Problem'), {properties => {code => {const => $code}}}]};
    return $self->_check_response({content => {'application/problem+json' => {schema => $schema}}}, $type, $head, $body);
}

sub _check_response ($self, $response, $type, $head, $body) {
    my $content = $response->{content};
    my $length  = length($body // '');

    return $length ? 'a body that is not described' : () if !$content;

    my $plain = lc(($type // '') =~ s/\s*;.*//sr);
    my $media = $content->{$plain} or return "the content type '$plain' is not described";
    return $length ? 'a body in answer to HEAD' : () if $head;
    return 'the body is empty' if !$length;
    return $plain =~ m{[/+]json\z} ? $self->_check_json($media->{schema}, $body) : ();
}

sub _check_json ($self, $schema, $body) {
    my $json = eval { JSON::PP->new->utf8->allow_nonref->decode($body) };
    return "the body is no JSON: $@" if $@;
    return $self->faults($schema, $json);
}

1;
